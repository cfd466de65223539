import { z, type Host } from 'latchkey/plugin-api';
import { carriesBody, carriesJson, carriesSchema } from '../carries/carries-json.ts';
import type { Said } from '../carries/said-on-the-way.ts';
import { humanChecks, standingOf, standings, type InvitationKey } from '../keys/invitation-key.ts';
import type { KeyDraft } from '../keys/key-terms.ts';
import type { Redemption } from '../seats/redemption.ts';

/** A moment with its offset: a time of day without one is not a moment. */
const moment = z.iso
  .datetime({ offset: true, error: 'invitation.not_a_moment' })
  .transform((said) => Date.parse(said))
  .nullable();

const uses = z.int().min(1, 'invitation.zero_uses').max(1_000_000).nullable();

/** On which days of the week (1 is Monday), from when to when, on the clocks of which zone. */
const hoursSchema = z.strictObject({
  days: z.array(z.int().min(1).max(7)).min(1).max(7),
  from: z.string().max(5),
  to: z.string().max(5),
  timeZone: z.string().max(64),
});

const draftFields = {
  label: z.string().max(120).optional(),
  note: z.string().max(2000).optional(),
  maxUses: uses.optional(),
  notBefore: moment.optional(),
  expiresAt: moment.optional(),
  hours: hoursSchema.nullable().optional(),
  profile: z.string().max(120).optional(),
  entity: z.string().max(200).optional(),
  groups: z.array(z.string().max(64)).max(50).optional(),
  email: z.string().max(320).nullable().optional(),
  emailDomains: z.array(z.string().max(260)).max(100).optional(),
  approval: z.enum(['auto', 'domain', 'manual']).optional(),
  emailProof: z.enum(['required', 'none']).optional(),
  humanCheck: z.enum(humanChecks).optional(),
  landing: z.string().max(200).optional(),
  locale: z.enum(['en', 'fr']).nullable().optional(),
  carries: carriesBody.optional(),
};

export const mintBody = z.strictObject({
  ...draftFields,
  showOnce: z.boolean().optional(),
  customKey: z.string().max(64).optional(),
  /** The open key with the same terms, if there is one. */
  reuse: z.boolean().optional(),
  /** Id or name of a preset; what is said beside it counts more. */
  preset: z.string().max(80).optional(),
});
export const editBody = z.strictObject({ ...draftFields, version: z.int() });

/** Leaves out what was not said: `undefined` and "not there" are the same to us. */
export function draftFrom(body: Omit<z.infer<typeof mintBody>, 'version'>): KeyDraft {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
}

const iso = z.iso.datetime();

export const keySchema = z.object({
  id: z.string(),
  label: z.string(),
  note: z.string(),
  hint: z.string(),
  status: z.enum(standings),
  maxUses: z.int().nullable(),
  uses: z.int(),
  notBefore: iso.nullable(),
  expiresAt: iso.nullable(),
  hours: hoursSchema.nullable(),
  profile: z.string(),
  profileId: z.string(),
  entity: z.string(),
  entityName: z.string(),
  groups: z.array(z.string()),
  email: z.string().nullable(),
  emailDomains: z.array(z.string()),
  approval: z.enum(['auto', 'domain', 'manual']),
  emailProof: z.enum(['required', 'none']),
  humanCheck: z.enum(humanChecks),
  landing: z.string(),
  locale: z.string().nullable(),
  carries: carriesSchema,
  showOnce: z.boolean(),
  custom: z.boolean(),
  pausedAt: iso.nullable(),
  pausedReason: z.string().nullable(),
  revokedAt: iso.nullable(),
  createdAt: iso,
  createdBy: z.string(),
  lastUsedAt: iso.nullable(),
  /** Whom the second yes came from, and whether it was needed. */
  askedBy: z.string().nullable(),
  approvedBy: z.string().nullable(),
  approvedAt: iso.nullable(),
  byMember: z.boolean(),
  batch: z.string().nullable(),
  version: z.int(),
});

/** With the secret: in the answer to minting, replacing and revealing, and nowhere else. */
export const shownKeySchema = keySchema.extend({ key: z.string(), url: z.string() });

export const redemptionSchema = z.object({
  id: z.string(),
  seat: z.int(),
  status: z.enum(['pending_email', 'pending_approval', 'active', 'released', 'declined']),
  how: z.enum(['new', 'existing']),
  userId: z.string().nullable(),
  name: z.string().nullable(),
  at: iso,
  settledAt: iso.nullable(),
  holdUntil: iso.nullable(),
  answers: z.array(z.object({ name: z.string(), question: z.string(), answer: z.string() })),
  agreed: z.array(z.object({ step: z.string(), edition: z.int(), title: z.string(), at: iso })),
});

export type KeyJson = z.infer<typeof keySchema>;

const isoOrNull = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

/** A key as programs read it; names instead of ids where people named them. */
export async function keyJson(host: Host, keys: readonly InvitationKey[]): Promise<KeyJson[]> {
  const profiles = new Map((await host.memberships.profiles()).map((profile) => [profile.id, profile.key]));
  const entities = new Map((await host.memberships.entities()).map((entity) => [entity.id, entity.path]));
  const now = host.clock.now();
  return keys.map((key) => ({
    id: key.id,
    label: key.label,
    note: key.note,
    hint: key.hint,
    status: standingOf(key, now),
    maxUses: key.maxUses,
    uses: key.uses,
    notBefore: isoOrNull(key.notBefore),
    expiresAt: isoOrNull(key.expiresAt),
    hours: key.hours,
    profile: profiles.get(key.profileId) ?? key.profileId,
    profileId: key.profileId,
    entity: key.entityId,
    entityName: entities.get(key.entityId) ?? '',
    groups: key.groupIds,
    email: key.email,
    emailDomains: key.emailDomains,
    approval: key.approval,
    emailProof: key.emailProof,
    humanCheck: key.humanCheck,
    landing: key.landing,
    locale: key.locale,
    carries: carriesJson(key.carries),
    showOnce: !key.hasCopy,
    custom: key.weak,
    pausedAt: isoOrNull(key.pausedAt),
    pausedReason: key.pausedReason,
    revokedAt: isoOrNull(key.revokedAt),
    createdAt: new Date(key.createdAt).toISOString(),
    createdBy: key.ownerName,
    lastUsedAt: isoOrNull(key.lastUsedAt),
    askedBy: key.askedBy,
    approvedBy: key.approvedBy,
    approvedAt: isoOrNull(key.approvedAt),
    byMember: key.byMember,
    batch: key.batchId,
    version: key.version,
  }));
}

export const redemptionJson = (
  redemption: Redemption,
  names: ReadonlyMap<string, { name: string }>,
  said?: Said,
): z.infer<typeof redemptionSchema> => ({
  id: redemption.id,
  seat: redemption.seat,
  status: redemption.status,
  how: redemption.how,
  userId: redemption.userId,
  name: redemption.userId === null ? null : (names.get(redemption.userId)?.name ?? null),
  at: new Date(redemption.at).toISOString(),
  settledAt: isoOrNull(redemption.settledAt),
  holdUntil: isoOrNull(redemption.holdUntil),
  answers: said?.answers ?? [],
  agreed: (said?.agreed ?? []).map(({ at, ...one }) => ({ ...one, at: new Date(at).toISOString() })),
});
