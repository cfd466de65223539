import { defineEvent, defineFilter, defineVeto, type Actor } from 'latchkey/plugin-api';
import type { KeyDraft } from './keys/key-terms.ts';

const since = '0.1.0';

/** A question that another plugin adds to the join form. */
export interface JoinField {
  /** Lower case, digits and hyphens; begins with the plugin's id. */
  name: string;
  /** Already in the reader's language. */
  label: string;
  hint?: string;
  kind: 'text' | 'textarea' | 'select' | 'checkbox';
  options?: { value: string; label: string }[];
  required: boolean;
  /** What the field begins with. */
  value?: string;
  /** Shown and not changed: the answer is `value`, whatever the request says. */
  fixed?: boolean;
}

/** What another plugin may know of a key: nothing that opens it. */
export interface KeyFacts {
  id: string;
  label: string;
  entityId: string;
  profileId: string;
  ownerId: string | null;
  /** Raised by every edit: what was worked out from a key holds as long as this does. */
  version: number;
}

export interface Newcomer {
  email: string;
  name: string;
  locale: string;
  /** Answers to the fields that plugins added, by name. */
  answers: Record<string, string>;
}

export const minting = defineFilter<KeyDraft, { actor: Actor }>({
  name: 'registration-key.minting',
  summary: 'The draft of a key before it is completed and checked.',
  since,
  failure: 'closed',
  budgetMs: 20,
});

export const joinForm = defineFilter<JoinField[], { key: KeyFacts; locale: string }>({
  name: 'registration-key.join-form',
  summary: 'More questions on the join form; the answers travel with the redemption.',
  since,
  failure: 'open',
  budgetMs: 20,
});

/** A page that another plugin puts in a newcomer's way. */
export interface JoinStep {
  /** `<plugin id>.<name>`. */
  id: string;
  phase: 'before' | 'after';
  /** Already in the reader's language. */
  title: string;
  /** Markdown. */
  body: string;
  /** What they tick to go on; left out where reading is enough. */
  agreement?: string;
  /** Raised when the words change, so that they are agreed to anew; 1 unless said. */
  edition?: number;
}

/**
 * @example
 * host.filter(joinSteps, (steps, { locale }) => [
 *   ...steps,
 *   { id: 'my-plugin.rules', phase: 'before', title: 'House rules', body: 'Be kind.', agreement: 'I will be kind.' },
 * ]);
 */
export const joinSteps = defineFilter<JoinStep[], { key: KeyFacts; locale: string }>({
  name: 'registration-key.join-steps',
  summary: 'More pages before and after joining; their order is kept on the server, and none is skipped.',
  since,
  failure: 'closed',
  budgetMs: 20,
});

/** What a program has to answer before it may join; a browser sees the same in the form. */
export interface JoinCheck {
  /** The plugin that asks. */
  provider: string;
  challenge: Record<string, string | number>;
}

/** To whom a check is shown: only they can answer it. */
export interface JoinCheckContext {
  keyId: string;
  binding: string;
  /** Their address is proven afterwards, or an administrator lets them in. */
  isProvenLater: boolean;
}

export const joinChecks = defineFilter<JoinCheck[], JoinCheckContext>({
  name: 'registration-key.join-checks',
  summary:
    'Checks that keep machines out of the join form. Whoever adds one also fills the slot `registration-key.join-check` and listens to the veto of that name.',
  since,
  failure: 'closed',
  budgetMs: 50,
});

export const joinCheck = defineVeto<
  JoinCheckContext & { answers: Readonly<Record<string, string>>; network: string }
>({
  name: 'registration-key.join-check',
  summary:
    'Whether the answers to the checks are right: the fields of the form whose names begin with `check-`. Asked before the password is hashed.',
  since,
  failure: 'closed',
  budgetMs: 2000,
});

export const mayRedeem = defineVeto<{ key: KeyFacts; newcomer: Newcomer }>({
  name: 'registration-key.may-redeem',
  summary:
    'Whether this person may take a seat of this key. Asked after the password is hashed, before the seat is taken.',
  since,
  failure: 'closed',
  budgetMs: 50,
});

export const keyMinted = defineEvent<{ key: KeyFacts; by: string | null }>({
  name: 'registration-key.minted',
  summary: 'A key was made.',
  since,
});

export const keyChanged = defineEvent<{
  key: KeyFacts;
  by: string | null;
  change:
    | 'edited'
    | 'paused'
    | 'resumed'
    | 'restored'
    | 'rotated'
    | 'agreed'
    | 'revealed'
    | 'copy-made'
    | 'copy-closed'
    | 'copy-reopened';
}>({
  name: 'registration-key.changed',
  summary: 'A key was edited, paused, resumed, restored, rotated or revealed.',
  since,
});

export const keyRevoked = defineEvent<{ key: KeyFacts; by: string | null }>({
  name: 'registration-key.revoked',
  summary: 'A key was revoked.',
  since,
});

export const keyRedeemed = defineEvent<{
  key: KeyFacts;
  userId: string;
  seat: number;
  answers: Record<string, string>;
}>({
  name: 'registration-key.redeemed',
  summary: 'Somebody has an account, or another membership, by a key.',
  since,
});

export const keyAsked = defineEvent<{ key: KeyFacts; requestId: string }>({
  name: 'registration-key.asked',
  summary: 'Somebody who holds a key that is over asks for a way in.',
  since,
});

export const keyExpired = defineEvent<{ key: KeyFacts }>({
  name: 'registration-key.expired',
  summary: 'The time of a key is over; told within a minute, once.',
  since,
});

export const keyRefused = defineEvent<{ key: KeyFacts; reason: string }>({
  name: 'registration-key.refused',
  summary: 'A key that exists was refused to somebody.',
  since,
});

/** For the catalogue of the house. */
export const invitationHooks = [
  minting,
  joinForm,
  joinSteps,
  joinChecks,
  joinCheck,
  mayRedeem,
  keyMinted,
  keyChanged,
  keyRevoked,
  keyRedeemed,
  keyAsked,
  keyExpired,
  keyRefused,
] as const;
