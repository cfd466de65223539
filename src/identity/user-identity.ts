import type { ProviderClaims } from './auth-provider.ts';

/** That a provider knows somebody, before there is an account it belongs to. It travels as JSON. */
export interface NewIdentity extends Omit<ProviderClaims, 'name'> {
  /** Through which provider: `<plugin>.<id>`. */
  provider: string;
}

/** One of the ways in of an account. */
export interface UserIdentity extends NewIdentity {
  id: string;
  userId: string;
  linkedAt: number;
  lastUsedAt: number | null;
}

export const identityOf = (provider: string, { name: _, ...claims }: ProviderClaims): NewIdentity => ({
  ...claims,
  provider,
});
