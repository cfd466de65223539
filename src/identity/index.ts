export type { AccessToken } from './access-token.ts';
export { activePeople } from './active-people.ts';
export { AccessTokenService, type TokenDraft } from './access-token-service.ts';
export {
  authProviders,
  type AuthProvider,
  type ProviderClaims,
  type ProviderReturn,
  type ProviderStart,
} from './auth-provider.ts';
export { authenticatorOf } from './authenticator.ts';
export { Directory, type DirectorySnapshot } from './directory.ts';
export { normaliseEmail } from './email.ts';
export { EntityTree, ROOT_ENTITY_ID, type Entity } from './entity.ts';
export type { Grant, GrantDraft } from './grant.ts';
export type { Group, GroupMember } from './group.ts';
export { identityRights } from './identity-rights.ts';
export { MembershipService } from './membership-service.ts';
export { HashThread } from './hash-thread.ts';
export type { Hashing } from './hashing.ts';
export { HASH_COST, PasswordGate, type Lane } from './password-gate.ts';
export type { NewPasskey } from './passkey.ts';
export type { NewIdentity } from './user-identity.ts';
export type { ProviderSignInService } from './provider-sign-in-service.ts';
export { ProvidersForPlugins } from './providers-for-plugins.ts';
export { PasskeyService } from './passkey-service.ts';
export { passwordProblem } from './password-rules.ts';
export { BUILT_IN_PROFILES, type Profile } from './profile.ts';
export { defineRight, EVERY_RIGHT, Rights, SUPER_ADMIN, type RightToken } from './rights.ts';
export { SecondFactorService } from './second-factor-service.ts';
export { SessionService, type ClientFacts, type SessionCookie } from './session-service.ts';
export type { Session } from './session.ts';
export { OwnerLink, SetupService, type SetupDraft } from './setup-service.ts';
export { SignInService, type Credentials } from './sign-in-service.ts';
export type { SignInProviders } from './sign-in-providers.ts';
export { SignInThrottle } from './sign-in-throttle.ts';
export type { SignedInActor } from './signed-in-actor.ts';
export { locales, type PersonFacts, type PreparedUser, type User, type UserDraft } from './user.ts';
export * from './access-hooks.ts';
export * from './user-hooks.ts';
export { UserNumbers } from './user-numbers.ts';
export { UserService } from './user-service.ts';
export type { WelcomeStep } from './welcome-routes.ts';
export { identityApi } from './identity-api.ts';
export { identityMenu } from './identity-menu.ts';
export { scheduleIdentityJobs } from './identity-jobs.ts';
export { identityRoutes, type IdentityPages } from './identity-routes.ts';
export { identityServices, type IdentityServices } from './identity-services.ts';
export { identitySettings, localSignIn, staffSecondFactor } from './identity-settings.ts';
