import { z } from 'latchkey/plugin-api';
import { deliveryStates, type Invitee } from './invitee-repository.ts';
import { verdicts, type Line } from './round.ts';
import type { RoundFacts } from './round-service.ts';
import { readAnswer } from './smtp-answer.ts';

const iso = z.iso.datetime();
const isoOrNull = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

export const roundSchema = z.object({
  id: z.string(),
  kind: z.enum(['shared', 'personal', 'roster', 'again', 'nudge']),
  state: z.enum(['draft', 'sending', 'paused', 'stopped', 'done']),
  label: z.string(),
  source: z.string(),
  format: z.enum(['addresses', 'table', 'discourse', 'numbers']),
  entity: z.string(),
  keyId: z.string().nullable(),
  unmappedGroups: z.array(z.string()),
  lines: z.object(Object.fromEntries(verdicts.map((verdict) => [verdict, z.int()]))),
  progress: z.object({ waiting: z.int(), done: z.int(), skipped: z.int() }),
  mails: z.object({
    queued: z.int(),
    accepted: z.int(),
    failed: z.int(),
    refused: z.int(),
    joined: z.int(),
  }),
  createdBy: z.string(),
  createdAt: iso,
  startedAt: iso.nullable(),
  finishedAt: iso.nullable(),
});

export const roundJson = ({
  round,
  verdicts: lines,
  states,
  deliveries,
}: RoundFacts): z.infer<typeof roundSchema> => ({
  id: round.id,
  kind: round.kind,
  state: round.state,
  label: round.label,
  source: round.source,
  format: round.format,
  entity: round.entityId,
  keyId: round.keyId,
  unmappedGroups: round.unmappedGroups,
  lines,
  progress: states,
  mails: {
    queued: deliveries.queued + deliveries.sending,
    accepted: deliveries['handed-over'],
    failed: deliveries.failed,
    refused: deliveries.dead,
    joined: deliveries.joined,
  },
  createdBy: round.ownerName,
  createdAt: new Date(round.createdAt).toISOString(),
  startedAt: isoOrNull(round.startedAt),
  finishedAt: isoOrNull(round.finishedAt),
});

export const lineSchema = z.object({
  id: z.string(),
  line: z.int(),
  written: z.string(),
  email: z.string(),
  name: z.string(),
  staffNumber: z.string().nullable(),
  groups: z.array(z.string()),
  verdict: z.enum(verdicts),
  reason: z.string().nullable(),
  state: z.enum(['waiting', 'done', 'skipped']),
  problem: z.string().nullable(),
  keyId: z.string().nullable(),
});

export const lineJson = (line: Line): z.infer<typeof lineSchema> => ({
  id: line.id,
  line: line.line,
  written: line.written,
  email: line.email,
  name: line.name,
  staffNumber: line.staffNumber,
  groups: line.groupIds,
  verdict: line.verdict,
  reason: line.reason,
  state: line.state,
  problem: line.problem,
  keyId: line.keyId,
});

export const inviteeSchema = z.object({
  id: z.string(),
  keyId: z.string(),
  email: z.string(),
  delivery: z.enum(deliveryStates),
  code: z.string().nullable(),
  meaning: z.string().nullable(),
  reply: z.string().nullable(),
  mails: z.int(),
  firstAt: iso,
  lastAt: iso,
  remindedAt: iso.nullable(),
  joinedAt: iso.nullable(),
});

export function inviteeJson(invitee: Invitee): z.infer<typeof inviteeSchema> {
  const answer = readAnswer(invitee.reply);
  return {
    id: invitee.id,
    keyId: invitee.keyId,
    email: invitee.email,
    delivery: invitee.delivery,
    code: answer?.code ?? null,
    meaning: answer?.meaning ?? null,
    reply: invitee.reply,
    mails: invitee.mails,
    firstAt: new Date(invitee.firstAt).toISOString(),
    lastAt: new Date(invitee.lastAt).toISOString(),
    remindedAt: isoOrNull(invitee.remindedAt),
    joinedAt: isoOrNull(invitee.joinedAt),
  };
}

export const rosterSchema = z.object({
  keyId: z.string(),
  of: z.enum(['email', 'number']),
  keepsAddresses: z.boolean(),
  total: z.int(),
  joined: z.int(),
  inProgress: z.int(),
  missing: z.int(),
});
