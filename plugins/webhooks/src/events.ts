import {
  attachmentAdded,
  defineEvent,
  followUpAdded,
  ticketAssigned,
  ticketClosed,
  ticketCreated,
  ticketReopened,
  ticketSolved,
  ticketUpdated,
  userCreated,
  userDisabled,
  type EventToken,
} from 'latchkey/plugin-api';

/** Told by the invitation plugin where it runs; the same name is the same hook. */
const ofInvitations = (
  ['minted', 'changed', 'redeemed', 'refused', 'revoked', 'expired', 'asked'] as const
).map((what) =>
  defineEvent<object>({
    name: `registration-key.${what}`,
    summary: 'Of an invitation key.',
    since: '0.1.0',
  }),
);

/** What can be sent. None of these events carries a secret. */
export const offered: readonly EventToken<unknown>[] = [
  ...ofInvitations,
  ticketCreated,
  ticketUpdated,
  ticketAssigned,
  ticketSolved,
  ticketReopened,
  ticketClosed,
  followUpAdded,
  attachmentAdded,
  userCreated,
  userDisabled,
] as readonly EventToken<never>[] as readonly EventToken<unknown>[];

export const eventNames = offered.map(({ name }) => name);

/** What the test button sends; nobody has to ask for it. */
export const TEST_EVENT = 'webhook.test';
