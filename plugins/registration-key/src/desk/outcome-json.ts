import { z } from 'latchkey/plugin-api';
import type { Outcome } from './outcome.ts';

const iso = z.iso.datetime();

export const outcomeSchema = z.object({
  canJoin: z.boolean(),
  reason: z.string().nullable(),
  profile: z.string(),
  rights: z.array(z.string()),
  entity: z.string(),
  groups: z.array(z.string()),
  skippedGroups: z.array(z.string()),
  name: z.string().nullable(),
  locale: z.string().nullable(),
  attributes: z.record(z.string(), z.string()),
  endsAt: iso.nullable(),
  emailProof: z.enum(['none', 'by-mail', 'by-hand']),
  approval: z.enum(['auto', 'domain', 'manual']),
  questions: z.array(z.string()),
  steps: z.array(
    z.object({
      id: z.string(),
      edition: z.int(),
      phase: z.enum(['before', 'after']),
      title: z.string(),
      agreement: z.string(),
    }),
  ),
  mails: z.array(z.enum(['confirm', 'welcome', 'approved', 'ends'])),
  landing: z.string(),
});

export const outcomeJson = (outcome: Outcome): z.infer<typeof outcomeSchema> => ({
  canJoin: outcome.stopped === null,
  reason: outcome.stopped,
  profile: outcome.profile.name,
  rights: [...outcome.profile.rights],
  entity: outcome.entity.path,
  groups: outcome.groups,
  skippedGroups: outcome.skipped,
  name: outcome.name,
  locale: outcome.locale,
  attributes: outcome.attributes,
  endsAt: outcome.endsAt === null ? null : new Date(outcome.endsAt).toISOString(),
  emailProof: outcome.proof,
  approval: outcome.approval,
  questions: outcome.questions.map(({ label }) => label),
  steps: outcome.steps.map(({ id, edition, phase, title, agreement }) => ({
    id,
    edition,
    phase,
    title,
    agreement,
  })),
  mails: outcome.mails,
  landing: outcome.landing,
});
