import type { Queryable } from '../db/database.ts';
import type { IdentityLinkService } from './identity-link-service.ts';
import type { PasskeyService } from './passkey-service.ts';
import type { ProviderSignInService } from './provider-sign-in-service.ts';
import type { ProviderWay, SignInProviders } from './sign-in-providers.ts';
import { findPasswordHash } from './user-repository.ts';

interface Deps {
  db: Queryable;
  passkeys: PasskeyService;
  providers: SignInProviders;
  providerSignIn: ProviderSignInService;
  identityLinks: IdentityLinkService;
}

/** What the sign-in page offers. */
export interface WaysIn {
  isLocalOn: boolean;
  passkeys: boolean;
  providers: ProviderWay[];
}

export const waysIn = async ({
  passkeys,
  providers,
  providerSignIn,
}: Pick<Deps, 'passkeys' | 'providers' | 'providerSignIn'>): Promise<WaysIn> => {
  const isLocalOn = await providerSignIn.isLocalOn();
  return {
    isLocalOn,
    passkeys: isLocalOn && (await passkeys.isPossible()),
    providers: await providers.ways(),
  };
};

/** With what somebody who is signed in can show again who they are. */
export async function ownWays(
  { db, passkeys, identityLinks }: Pick<Deps, 'db' | 'passkeys' | 'identityLinks'>,
  userId: string,
): Promise<{ hasPassword: boolean; passkeys: boolean; providers: ProviderWay[] }> {
  const own = await identityLinks.list(userId);
  const linked = new Map(own.map(({ provider, title, icon }) => [provider, { title, icon }]));
  return {
    hasPassword: (await findPasswordHash(db, userId)) !== null,
    passkeys: (await passkeys.list(userId)).some(({ isForHere }) => isForHere),
    providers: [...linked].flatMap(([ref, { title, icon }]) =>
      title === null ? [] : [{ ref, title, icon }],
    ),
  };
}
