/** `tickets:read`: what of, and what. `*` is everything that the person may do. Each call of the API names the one it needs. */
export const SCOPE = /^(\*|[a-z][a-z0-9-]*:[a-z]+)$/;

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
