import { auditEvent } from '../audit/index.ts';
import { defineEvent, defineFilter, defineVeto } from '../hooks/tokens.ts';
import type { PersonFacts } from './user.ts';

const since = '0.1.0';
const budgetMs = 50;

export const userChange = defineFilter<
  { name: string; locale: string; timeZone: string },
  { userId: string; actorId: string | null }
>({
  name: 'user.change',
  summary: 'What is written when somebody edits a profile, their own or, as an administrator, another.',
  since,
  failure: 'open',
  budgetMs,
});

export const userMayDisable = defineVeto<{ userId: string; actorId: string | null }>({
  name: 'user.may-disable',
  summary: 'Refuses to close an account, while somebody is on call for instance.',
  since,
  failure: 'open',
  budgetMs,
});

export const userMayAnonymise = defineVeto<{ userId: string; actorId: string | null }>({
  name: 'user.may-anonymise',
  summary: 'Refuses to forget somebody: a legal hold.',
  since,
  failure: 'closed',
  budgetMs,
});

export const signInMayBegin = defineVeto<{ emailNorm: string; network: string }>({
  name: 'sign-in.may-begin',
  summary: 'Refuses a try before the password is looked at, by address or network.',
  since,
  failure: 'closed',
  budgetMs,
});

export const signInMayComplete = defineVeto<{ user: PersonFacts; proof: string; network: string }>({
  name: 'sign-in.may-complete',
  summary: 'Refuses a session to somebody who has proven who they are: by hour, place or proof.',
  since,
  failure: 'closed',
  budgetMs,
});

export const signInFailed = defineEvent<{ userId: string | null; network: string }>({
  name: 'sign-in.failed',
  summary: 'A password was wrong, or belonged to nobody. What was typed is not told.',
  since,
});

export const sessionLife = defineFilter<
  { idleMs: number; absoluteMs: number },
  { user: PersonFacts; isStaff: boolean }
>({
  name: 'session.life',
  summary: 'How long a new session lasts, at rest and at most.',
  since,
  failure: 'open',
  budgetMs,
});

export const userSignedOut = defineEvent<{ userId: string }>({
  name: 'user.signed-out',
  summary: 'Somebody has ended their session.',
  since,
});

export const accessTokenDraft = defineFilter<
  { name: string; scopes: readonly string[]; expiresAt: number },
  { userId: string; actorId: string | null }
>({
  name: 'access-token.draft',
  summary: 'An API token before it is made: shorten its life, take scopes away.',
  since,
  failure: 'closed',
  budgetMs,
});

export const accessTokenMayCreate = defineVeto<{
  userId: string;
  actorId: string | null;
  scopes: readonly string[];
}>({
  name: 'access-token.may-create',
  summary: 'Refuses an API token.',
  since,
  failure: 'closed',
  budgetMs,
});

export const apiMayCall = defineVeto<{ userId: string; tokenId: string; scopes: readonly string[] }>({
  name: 'api.may-call',
  summary: 'Refuses a call of the API that carries a good token.',
  since,
  failure: 'closed',
  budgetMs: 10,
});

export const accessTokenCreated = auditEvent('access-token.created', 'An API token was made.');
export const accessTokenRevoked = auditEvent('access-token.revoked', 'An API token was revoked.');
export const userChanged = auditEvent('user.changed', 'A profile was edited.');
export const userEnabled = auditEvent('user.enabled', 'A closed account is open again.');
export const userAnonymised = auditEvent('user.anonymised', 'Somebody was forgotten; the row stays.');
export const userAttributesSet = auditEvent('user.attributes-set', 'Further facts of a person were written.');
export const passwordChanged = auditEvent('user.password-changed', 'Somebody has changed their password.');
export const passwordReset = auditEvent('user.password-reset', 'Somebody has set a password by a link.');
export const secondFactorOn = auditEvent('user.second-factor-on', 'A second factor was set up.');
export const secondFactorOff = auditEvent(
  'user.second-factor-off',
  'Somebody took their second factor away.',
);
export const identityLinked = auditEvent(
  'user.identity-linked',
  'A provider that people sign in with now leads into an account.',
);
export const identityUnlinked = auditEvent(
  'user.identity-unlinked',
  'A provider that people sign in with no longer leads into an account.',
);
export const grantGiven = auditEvent('grant.given', 'Somebody was given a profile in an entity.');
export const grantWithdrawn = auditEvent('grant.withdrawn', 'A profile was taken from somebody.');
export const groupCreated = auditEvent('group.created', 'A group was made.');
export const groupRenamed = auditEvent('group.renamed', 'A group has another name.');
export const groupRemoved = auditEvent('group.removed', 'A group is gone.');
export const groupMemberAdded = auditEvent('group.member-added', 'Somebody belongs to a group.');
export const groupMemberRemoved = auditEvent(
  'group.member-removed',
  'Somebody no longer belongs to a group.',
);
export const entityCreated = auditEvent('entity.created', 'An entity was made.');
export const entityRenamed = auditEvent('entity.renamed', 'An entity has another name.');
export const entityMoved = auditEvent('entity.moved', 'An entity lies elsewhere in the tree.');
export const entityRemoved = auditEvent('entity.removed', 'An entity is gone.');
export const profileCreated = auditEvent('profile.created', 'A set of rights was made.');
export const profileChanged = auditEvent('profile.changed', 'A set of rights was changed.');
export const profileRemoved = auditEvent('profile.removed', 'A set of rights is gone.');
