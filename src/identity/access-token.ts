export const tokenScopes = [
  'tickets:read',
  'tickets:write',
  'users:read',
  'users:write',
  'invitations:read',
  'invitations:write',
  'admin:read',
  'admin:write',
  '*',
] as const;
export type TokenScope = (typeof tokenScopes)[number];

export const LONGEST_TOKEN_LIFE_DAYS = 365;

/** A personal API token, without its secret, which nobody keeps. */
export interface AccessToken {
  id: string;
  userId: string;
  name: string;
  /** `lkpat_AB12…`, to tell them apart. */
  hint: string;
  scopes: readonly string[];
  createdAt: number;
  expiresAt: number;
  usedAt: number | null;
  revokedAt: number | null;
}
