import { defineEvent, defineFilter, defineVeto } from '../hooks/tokens.ts';
import type { PersonFacts, UserDraft } from './user.ts';

/** A draft as plugins may see and change it: never with its password. */
export type OpenUserDraft = Omit<UserDraft, 'password'>;

export const userDraft = defineFilter<OpenUserDraft, { source: 'sign-up' | 'administration' }>({
  name: 'user.draft',
  summary: 'Changes name, address or language of an account before it is checked and written.',
  since: '0.1.0',
  failure: 'open',
  budgetMs: 50,
});

export const userMayCreate = defineVeto<{ email: string; emailNorm: string; name: string }>({
  name: 'user.may-create',
  summary: 'Refuses an account, for instance by its address.',
  since: '0.1.0',
  failure: 'closed',
  budgetMs: 50,
});

export const userCreated = defineEvent<{ user: PersonFacts; by: string }>({
  name: 'user.created',
  summary: 'Somebody has an account.',
  since: '0.1.0',
});

export const userDisabled = defineEvent<{ user: PersonFacts; by: string }>({
  name: 'user.disabled',
  summary: 'Somebody can no longer sign in; their sessions and tokens have ended.',
  since: '0.1.0',
});

/** The one who asks has to know what to look for; once all have heard it, the event itself is gone. */
export const userForgotten = defineEvent<{ userId: string; emailNorm: string }>({
  name: 'user.forgotten',
  summary: 'An account was anonymised: whoever wrote its address down elsewhere forgets it as well.',
  since: '0.1.0',
  forgets: ({ userId, emailNorm }) => [userId, emailNorm],
});

export const userSignedIn = defineEvent<{ user: PersonFacts; network: string }>({
  name: 'user.signed-in',
  summary: 'Somebody has proven who they are and has a new session.',
  since: '0.1.0',
});

export const entityMayRemove = defineVeto<{ entityId: string }>({
  name: 'entity.may-remove',
  summary: 'Refuses to remove an entity that something still belongs to.',
  since: '0.1.0',
  failure: 'closed',
  budgetMs: 50,
});

export const groupMayRemove = defineVeto<{ groupId: string }>({
  name: 'group.may-remove',
  summary: 'Refuses to remove a group that something still points at.',
  since: '0.1.0',
  failure: 'closed',
  budgetMs: 50,
});
