/**
 * Queued, being sent, taken by the SMTP server, to be tried again, given up; or never sent because mail is off.
 * "Handed over" is all that a sender can know: what the next server does with it is not told.
 */
export const mailStates = ['queued', 'sending', 'handed-over', 'failed', 'dead', 'off'] as const;
export type MailState = (typeof mailStates)[number];

export interface MailDraft {
  to: { email: string; name?: string };
  /** Without its ending: `mail/reset` stands for `.subject.hbs`, `.html.hbs` and `.text.hbs`. */
  template: string;
  model: object;
  locale: string;
  /** What it is about, for the delivery list: `password-reset`. */
  kind: string;
  /** The row it belongs to, so that its delivery can be shown there. */
  reference?: string;
  replyTo?: string;
}

/** What is sealed until it has left. It may carry links and codes, so nothing else keeps any of it. */
export interface MailContent {
  to: { email: string; name?: string };
  subject: string;
  html: string;
  text: string;
  replyTo?: string;
}

/** What anybody may see of a mail: where it stands, never what it says. */
export interface MailDelivery {
  id: string;
  kind: string;
  reference: string | null;
  recipient: string;
  state: MailState;
  attempts: number;
  writtenAt: number;
  /** When it is tried next, while it waits. */
  dueAt: number;
  leftAt: number | null;
  /** What the SMTP server answered. */
  reply: string | null;
  problem: string | null;
  /** Its content is still kept, so it can be sent again. */
  canRetry: boolean;
}
