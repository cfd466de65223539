import type { z } from 'zod';
import type { AccessToken } from './access-token.ts';
import type { Entity, EntityTree } from './entity.ts';
import type { Grant } from './grant.ts';
import type { Group } from './group.ts';
import type { GroupView } from './group-service.ts';
import type { ShownIdentity } from './identity-link-service.ts';
import type * as schema from './identity-api-schemas.ts';
import type { Passkey } from './passkey.ts';
import type { Profile } from './profile.ts';
import type { Attributes } from './user-attribute-repository.ts';
import type { User } from './user.ts';

type Shape<K extends keyof typeof schema> = (typeof schema)[K] extends z.ZodType<infer T> ? T : never;

/** Milliseconds as ISO 8601; what never happened is null. */
const iso = (at: number): string => new Date(at).toISOString();
const isoOrNull = (at: number | null): string | null => (at === null ? null : iso(at));

export const userJson = ({
  id,
  number,
  email,
  name,
  locale,
  timeZone,
  status,
  version,
  ...at
}: User): Shape<'userSchema'> => ({
  id,
  number,
  email,
  name,
  locale,
  timeZone,
  status,
  emailVerifiedAt: isoOrNull(at.emailVerifiedAt),
  createdAt: iso(at.createdAt),
  lastSeenAt: isoOrNull(at.lastSeenAt),
  endsAt: isoOrNull(at.endsAt),
  version,
});

export const grantJson = ({ id, profileId, entityId, isRecursive }: Grant): Shape<'grantSchema'> => ({
  id,
  profileId,
  entityId,
  recursive: isRecursive,
});

export const userDetailJson = (
  user: User,
  {
    grants,
    groups,
    attributes,
  }: {
    grants: readonly Grant[];
    groups: readonly (Group & { isManager: boolean })[];
    attributes: Attributes;
  },
): Shape<'userDetailSchema'> => ({
  ...userJson(user),
  grants: grants.map(grantJson),
  groups: groups.map(({ id, name, isManager }) => ({ id, name, isManager })),
  attributes: { ...attributes },
});

export const groupJson = ({ id, name, entityId, version, createdAt }: Group): Shape<'groupSchema'> => ({
  id,
  name,
  entityId,
  version,
  createdAt: iso(createdAt),
});

export const groupDetailJson = ({ group, members }: GroupView): Shape<'groupDetailSchema'> => ({
  ...groupJson(group),
  members: members.map(({ user, isManager }) => ({
    userId: user.id,
    name: user.name,
    email: user.email,
    isManager,
  })),
});

export const entityJson = (
  { id, number, name, parentId, version }: Entity,
  tree: EntityTree,
): Shape<'entitySchema'> => ({
  id,
  number,
  name,
  parentId,
  path: tree.fullName(id),
  version,
});

export const profileJson = ({ id, key, name, kind, rights, version }: Profile): Shape<'profileSchema'> => ({
  id,
  key,
  name,
  kind,
  rights: [...rights],
  version,
});

export const passkeyJson = ({ id, name, rpId, backedUp, ...at }: Passkey): Shape<'passkeySchema'> => ({
  id,
  name,
  host: rpId,
  backedUp,
  createdAt: iso(at.createdAt),
  usedAt: isoOrNull(at.lastUsedAt),
});

/** Not by which name the provider knows them: nobody needs it here. */
export const identityJson = ({
  id,
  provider,
  title,
  issuer,
  email,
  emailVerified,
  ...at
}: ShownIdentity): Shape<'identitySchema'> => ({
  id,
  provider,
  title,
  issuer,
  email,
  emailVerified,
  linkedAt: iso(at.linkedAt),
  usedAt: isoOrNull(at.lastUsedAt),
});

export const tokenJson = ({
  id,
  name,
  hint,
  scopes,
  createdAt,
  expiresAt,
  usedAt,
}: AccessToken): Shape<'tokenSchema'> => ({
  id,
  name,
  hint,
  scopes: [...scopes],
  createdAt: iso(createdAt),
  expiresAt: iso(expiresAt),
  usedAt: isoOrNull(usedAt),
});
