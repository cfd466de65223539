import type { Queryable } from '../db/database.ts';

/** Something that people may want to hear of. */
export interface NotificationKind {
  /** `ticket.assigned`: what it is about, then what happened. A plugin's begin with its id. */
  id: string;
  /** The sentence in the bell and the subject of the mail, an i18n key; gets the notification's params. */
  text: string;
  /** What the preferences call it, an i18n key. */
  label: string;
  /** A Tabler icon's name. */
  icon: string;
  /** Until a person chooses otherwise. */
  bell: boolean;
  mail: boolean;
}

export type NotificationParams = Record<string, string | number>;

export interface Notification {
  id: string;
  userId: string;
  kind: string;
  entityId: string | null;
  subjectType: string;
  subjectId: string;
  /** A path of ours. */
  link: string;
  params: NotificationParams;
  createdAt: number;
  readAt: number | null;
}

export interface NotificationDraft {
  userIds: readonly string[];
  /** Id of a `NotificationKind`. */
  kind: string;
  subject: { type: string; id: string };
  entityId?: string;
  link: string;
  params: NotificationParams;
  /** The mail for those who want one; without it a short general one is sent. */
  mail?: { template: string; model: object; replyTo?: string };
}

export interface Preference {
  kind: string;
  bell: boolean;
  mail: boolean;
}

export interface Recipient {
  id: string;
  email: string;
  name: string;
  locale: string;
}

/** Those of `userIds` whose accounts are active; reads with `db`, which may be an open transaction. */
export type FindRecipients = (db: Queryable, userIds: readonly string[]) => Promise<Recipient[]>;
