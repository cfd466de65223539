import type { AuditService } from '../audit/index.ts';
import type { KeyRing } from '../crypto/key-ring.ts';
import type { Database } from '../db/database.ts';
import type { Hooks } from '../hooks/index.ts';
import type { RateLimits } from '../http/rate-limit.ts';
import type { Log } from '../log.ts';
import type { MailService } from '../mail/index.ts';
import type { SettingsService } from '../settings/index.ts';
import type { Clock } from '../shared/clock.ts';
import { AccessTokenService } from './access-token-service.ts';
import { AccountEndService } from './account-end-service.ts';
import { AccountService } from './account-service.ts';
import { Directory } from './directory.ts';
import { EmailConfirmationService } from './email-confirmation-service.ts';
import { EntityService } from './entity-service.ts';
import { GroupService } from './group-service.ts';
import { IdentityLinkService } from './identity-link-service.ts';
import { identityRights } from './identity-rights.ts';
import { staffSecondFactor } from './identity-settings.ts';
import { MembershipService } from './membership-service.ts';
import { PasskeyService } from './passkey-service.ts';
import type { Hashing } from './hashing.ts';
import { PasswordGate } from './password-gate.ts';
import { PasswordResetService } from './password-reset-service.ts';
import { ProfileService } from './profile-service.ts';
import { ProviderSignInService } from './provider-sign-in-service.ts';
import { ProviderTrips } from './provider-trips.ts';
import { ProvidersForPlugins } from './providers-for-plugins.ts';
import { Rights } from './rights.ts';
import { SecondFactorService } from './second-factor-service.ts';
import { SessionService } from './session-service.ts';
import { OwnerLink, SetupService } from './setup-service.ts';
import { SignInProviders } from './sign-in-providers.ts';
import { SignInService } from './sign-in-service.ts';
import { SignInThrottle } from './sign-in-throttle.ts';
import { UserAdminService } from './user-admin-service.ts';
import { UserNumbers } from './user-numbers.ts';
import { UserService } from './user-service.ts';

export interface IdentityGround {
  db: Database;
  clock: Clock;
  log: Pick<Log, 'warn'>;
  hooks: Hooks;
  audit: AuditService;
  settings: SettingsService;
  mail: Pick<MailService, 'isOn' | 'queue'>;
  limits: RateLimits;
  /** Seals the secrets of second factors, and what a browser carries on the way in. */
  keys: KeyRing;
  site: () => Promise<{ origin: string; timeZone: string }>;
  /** Who hashes passwords; this thread's own helpers unless it is said. */
  hashing?: Hashing | undefined;
}

export interface IdentityServices {
  rights: Rights;
  directory: Directory;
  gate: PasswordGate;
  throttle: SignInThrottle;
  users: UserService;
  memberships: MembershipService;
  sessions: SessionService;
  secondFactors: SecondFactorService;
  passkeys: PasskeyService;
  signIn: SignInService;
  providers: SignInProviders;
  providerTrips: ProviderTrips;
  providerSignIn: ProviderSignInService;
  providersForPlugins: ProvidersForPlugins;
  identityLinks: IdentityLinkService;
  ownerLink: OwnerLink;
  setup: SetupService;
  accessTokens: AccessTokenService;
  accounts: AccountService;
  resets: PasswordResetService;
  confirmations: EmailConfirmationService;
  userAdmin: UserAdminService;
  accountEnds: AccountEndService;
  entityAdmin: EntityService;
  profileAdmin: ProfileService;
  groupAdmin: GroupService;
}

/** All that knows about people, put together in the order in which one leans on another. */
export function identityServices(ground: IdentityGround): IdentityServices {
  const rights = new Rights();
  for (const right of identityRights) rights.add(right);
  const directory = new Directory({ ...ground, rights });
  const gate = new PasswordGate(ground.hashing ? { hashing: ground.hashing } : {});
  const people = { ...ground, rights, directory, gate };

  const users = new UserService({ ...people, numbers: new UserNumbers(ground.db) });
  const memberships = new MembershipService(people);
  const sessions = new SessionService(people);
  const secondFactors = new SecondFactorService(people);
  const throttle = new SignInThrottle(ground);
  const staffNeedsSecondFactor = (): Promise<boolean> => ground.settings.get(staffSecondFactor);
  const signIn = new SignInService({ ...people, throttle, sessions, secondFactors, staffNeedsSecondFactor });
  const ownerLink = new OwnerLink(ground);
  const userAdmin = new UserAdminService({ ...people, users, memberships });
  const providers = new SignInProviders(ground);
  const trips = new ProviderTrips(ground);
  const identityLinks = new IdentityLinkService({ ...people, providers, userAdmin });
  const ways = { ...people, providers, trips, sessions, signIn };
  const providerSignIn = new ProviderSignInService({ ...ways, links: identityLinks });

  return {
    rights,
    directory,
    gate,
    throttle,
    users,
    memberships,
    sessions,
    secondFactors,
    passkeys: new PasskeyService({ ...people, sessions, userAdmin }),
    signIn,
    providers,
    providerTrips: trips,
    providerSignIn,
    providersForPlugins: new ProvidersForPlugins({ providers, providerSignIn, trips }),
    identityLinks,
    ownerLink,
    setup: new SetupService({ ...people, users, sessions, ownerLink }),
    accessTokens: new AccessTokenService(people),
    accounts: new AccountService({ ...people, users, sessions, signIn }),
    resets: new PasswordResetService({ ...people, users }),
    confirmations: new EmailConfirmationService(ground),
    userAdmin,
    accountEnds: new AccountEndService({ ...people, users, userAdmin }),
    entityAdmin: new EntityService(people),
    profileAdmin: new ProfileService(people),
    groupAdmin: new GroupService(people),
  };
}
