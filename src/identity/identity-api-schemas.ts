import { z } from 'zod';
import { SCOPE } from './access-token.ts';
import { locales, themes } from './user.ts';

const id = z.string().min(1).max(40);
const text = z.string().min(1).max(320);
/** ISO 8601, UTC. */
const instant = z.iso.datetime();
const instantOrNever = instant.nullable();

export const idParam = z.object({ id });
export const memberParam = z.object({ id, userId: id });
export const grantParam = z.object({ id, grantId: id });

const paging = {
  page: z.coerce.number().int().min(1).max(10_000).default(1),
  perPage: z.coerce.number().int().min(1).max(100).default(25),
};
export const userQuery = z.object({
  ...paging,
  q: z.string().trim().max(120).optional(),
  status: z.enum(['active', 'disabled']).optional(),
  profileId: id.optional(),
  groupId: id.optional(),
});

export const userSchema = z.object({
  id,
  number: z.number().int(),
  email: z.string(),
  name: z.string(),
  locale: z.string(),
  timeZone: z.string().nullable(),
  status: z.enum(['active', 'disabled']),
  emailVerifiedAt: instantOrNever,
  createdAt: instant,
  lastSeenAt: instantOrNever,
  /** When the account closes by itself. */
  endsAt: instantOrNever,
  version: z.number().int(),
});
export const pageOf = (item: z.ZodType): z.ZodType =>
  z.object({
    items: z.array(item),
    page: z.number().int(),
    perPage: z.number().int(),
    total: z.number().int(),
  });
export const itemsOf = (item: z.ZodType): z.ZodType => z.object({ items: z.array(item) });

export const grantSchema = z.object({ id, profileId: id, entityId: id, recursive: z.boolean() });
export const userDetailSchema = userSchema.extend({
  grants: z.array(grantSchema),
  groups: z.array(z.object({ id, name: z.string(), isManager: z.boolean() })),
  attributes: z.record(z.string(), z.string()),
});
export const createUserBody = z.strictObject({
  email: text,
  name: text,
  locale: z.enum(locales).default('en'),
  profileId: id,
  entityId: id,
  recursive: z.boolean().default(false),
});
export const patchUserBody = z.strictObject({
  version: z.number().int(),
  email: text.optional(),
  name: text.optional(),
  locale: z.enum(locales).optional(),
  timeZone: z.string().max(64).nullable().optional(),
  status: z.enum(['active', 'disabled']).optional(),
  endsAt: z.iso.datetime({ offset: true }).nullable().optional(),
  /** These are set and the others stay; null takes one away. */
  attributes: z.record(z.string().max(64), z.string().max(1000).nullable()).optional(),
});
export const grantBody = z.strictObject({
  profileId: id,
  entityId: id,
  recursive: z.boolean().default(false),
});

export const groupSchema = z.object({
  id,
  name: z.string(),
  entityId: id,
  version: z.number().int(),
  createdAt: instant,
});
export const groupDetailSchema = groupSchema.extend({
  members: z.array(z.object({ userId: id, name: z.string(), email: z.string(), isManager: z.boolean() })),
});
export const createGroupBody = z.strictObject({ name: text, entityId: id });
export const patchGroupBody = z.strictObject({ version: z.number().int(), name: text });
export const memberBody = z.strictObject({ userId: id });

export const entitySchema = z.object({
  id,
  number: z.number().int(),
  name: z.string(),
  parentId: id.nullable(),
  /** As people read it, from the top. */
  path: z.string(),
  version: z.number().int(),
});
export const createEntityBody = z.strictObject({ name: text, parentId: id });
export const patchEntityBody = z.strictObject({
  version: z.number().int(),
  name: text.optional(),
  parentId: id.optional(),
});

export const profileSchema = z.object({
  id,
  /** Of built-in profiles only. */
  key: z.string().nullable(),
  name: z.string(),
  kind: z.enum(['portal', 'staff']),
  rights: z.array(z.string()),
  version: z.number().int(),
});
export const createProfileBody = z.strictObject({
  name: text,
  kind: z.enum(['portal', 'staff']),
  rights: z.array(z.string().max(120)).max(500),
});
export const patchProfileBody = createProfileBody.partial().extend({ version: z.number().int() });

export const meSchema = userDetailSchema.extend({ theme: z.enum(themes), rights: z.array(z.string()) });
export const tokenSchema = z.object({
  id,
  name: z.string(),
  hint: z.string(),
  scopes: z.array(z.string()),
  createdAt: instant,
  expiresAt: instant,
  usedAt: instantOrNever,
});
export const passkeySchema = z.object({
  id,
  name: z.string(),
  host: z.string(),
  backedUp: z.boolean(),
  createdAt: instant,
  usedAt: instantOrNever,
});
export const identitySchema = z.object({
  id,
  /** `<plugin>.<id>`, as in the address of its sign-in page. */
  provider: z.string(),
  /** As its button says it; null when the provider is gone. */
  title: z.string().nullable(),
  issuer: z.string(),
  email: z.string().nullable(),
  emailVerified: z.boolean(),
  linkedAt: instant,
  usedAt: instantOrNever,
});
export const identityParam = z.object({ id, identityId: id });
export const renamePasskeyBody = z.strictObject({ name: text });
export const passkeyParam = z.object({ id, passkeyId: id });
export const createdTokenSchema = tokenSchema.extend({ token: z.string() });
export const createTokenBody = z.strictObject({
  name: text,
  scopes: z.array(z.string().max(80).regex(SCOPE)).min(1).max(50),
  expiresAt: z.iso.datetime({ offset: true }),
});
