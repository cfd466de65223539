import type { Database, Tx } from '../db/database.ts';
import type { Hooks, Undo } from '../hooks/index.ts';
import type { MailService } from '../mail/index.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { NotFoundError, UnauthenticatedError } from '../shared/errors.ts';
import type { Page, PageRequest } from '../shared/page.ts';
import type {
  FindRecipients,
  Notification,
  NotificationDraft,
  NotificationKind,
  Preference,
  Recipient,
} from './notification.ts';
import { notificationSent } from './notification-hooks.ts';
import {
  countUnread,
  findNotification,
  insertNotifications,
  listNotifications,
  markAllRead,
  markRead,
  markSubjectRead,
  preferencesFor,
  preferencesOf,
  savePreferences,
} from './notification-repository.ts';

interface Deps {
  db: Database;
  clock: Clock;
  mail: Pick<MailService, 'queue' | 'isOn'>;
  recipients: FindRecipients;
  hooks?: Pick<Hooks, 'emit'>;
}

export type NotificationView = Notification & Pick<NotificationKind, 'text' | 'icon'>;
export type PreferenceView = Preference & Pick<NotificationKind, 'label' | 'icon'>;

/** The bell counts to here and then says "99+". */
const COUNT_TO = 100;
const unknownKind = { text: 'notifications:unknown', icon: 'bell' };

/** Who hears of what, by bell and by mail, as each person wants it. */
export class NotificationService {
  readonly #deps: Deps;
  readonly #kinds = new Map<string, NotificationKind>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** A kind must be known before anybody can be notified of it. */
  addKind(kind: NotificationKind): Undo {
    if (this.#kinds.has(kind.id)) throw new Error(`There is a kind of notification ${kind.id} already`);
    this.#kinds.set(kind.id, kind);
    return () => void this.#kinds.delete(kind.id);
  }

  /** In the transaction of what happened, so that nobody hears of what did not. */
  async notify(tx: Tx, draft: NotificationDraft): Promise<void> {
    const kind = this.#kinds.get(draft.kind);
    if (!kind) throw new Error(`There is no kind of notification ${draft.kind}`);
    const userIds = [...new Set(draft.userIds)];
    if (userIds.length === 0) return;
    const { subject, link } = draft;
    const about = { aggregate: `${subject.type}:${subject.id}`.slice(0, 100) };
    await this.#deps.hooks?.emit(tx, notificationSent, { kind: kind.id, subject, userIds, link }, about);
    const recipients = await this.#deps.recipients(tx, userIds);
    const chosen = await preferencesFor(tx, { kind: kind.id, userIds });
    const wantBy = (way: 'bell' | 'mail') => (person: Recipient) => (chosen.get(person.id) ?? kind)[way];
    await this.#ring(tx, draft, recipients.filter(wantBy('bell')));
    if (this.#deps.mail.isOn)
      await this.#write(tx, { draft, kind, recipients: recipients.filter(wantBy('mail')) });
  }

  async list(
    actor: Actor,
    { unreadOnly = false, ...page }: PageRequest & { unreadOnly?: boolean | undefined },
  ): Promise<Page<NotificationView>> {
    const found = await listNotifications(this.#deps.db, { userId: personOf(actor), unreadOnly }, page);
    return { ...found, items: found.items.map((one) => this.#shown(one)) };
  }

  /** For the bell; at most 100. Whoever has no account has none. */
  async unread(actor: Actor): Promise<number> {
    return actor.userId === null ? 0 : countUnread(this.#deps.db, actor.userId, COUNT_TO);
  }

  /** Marks it read and says what it leads to. */
  async open(actor: Actor, id: string): Promise<NotificationView> {
    const { db, clock } = this.#deps;
    const userId = personOf(actor);
    const found = await findNotification(db, { id, userId });
    if (!found) throw new NotFoundError('notification.not-found');
    const at = clock.now();
    if (found.readAt === null) await db.transaction((tx) => markRead(tx, { id, userId, at }));
    return this.#shown({ ...found, readAt: found.readAt ?? at });
  }

  async markAllRead(actor: Actor): Promise<void> {
    const { db, clock } = this.#deps;
    const userId = personOf(actor);
    await db.transaction((tx) => markAllRead(tx, { userId, at: clock.now() }));
  }

  /** What one has seen on its own page need not ring any more. */
  async markSeen(tx: Tx, userId: string, subject: { type: string; id: string }): Promise<void> {
    await markSubjectRead(tx, { userId, subject, at: this.#deps.clock.now() });
  }

  async preferences(actor: Actor): Promise<PreferenceView[]> {
    const chosen = await preferencesOf(this.#deps.db, personOf(actor));
    return [...this.#kinds.values()].map(({ id, label, icon, ...usual }) => {
      const { bell, mail } = chosen.get(id) ?? usual;
      return { kind: id, label, icon, bell, mail };
    });
  }

  async choose(actor: Actor, preferences: readonly Preference[]): Promise<void> {
    const userId = personOf(actor);
    const known = preferences.filter(({ kind }) => this.#kinds.has(kind));
    await this.#deps.db.transaction((tx) => savePreferences(tx, userId, known));
  }

  async #ring(tx: Tx, draft: NotificationDraft, recipients: readonly Recipient[]): Promise<void> {
    const { kind, subject, entityId = null, link, params } = draft;
    const common = { kind, entityId, subjectType: subject.type, subjectId: subject.id, link, params };
    const createdAt = this.#deps.clock.now();
    await insertNotifications(
      tx,
      recipients.map(({ id }) => ({ ...common, userId: id, createdAt })),
    );
  }

  async #write(
    tx: Tx,
    {
      draft,
      kind,
      recipients,
    }: { draft: NotificationDraft; kind: NotificationKind; recipients: readonly Recipient[] },
  ): Promise<void> {
    const { template, model, replyTo } = draft.mail ?? generalMail(draft, kind);
    for (const { email, name, locale } of recipients) {
      await this.#deps.mail.queue(tx, {
        to: { email, name },
        template,
        model: { ...model, recipient: { name } },
        locale,
        kind: kind.id,
        reference: `${draft.subject.type}:${draft.subject.id}`,
        ...(replyTo === undefined ? {} : { replyTo }),
      });
    }
  }

  #shown(notification: Notification): NotificationView {
    const { text, icon } = this.#kinds.get(notification.kind) ?? unknownKind;
    return { ...notification, text, icon };
  }
}

const generalMail = (
  { link, params }: NotificationDraft,
  { text, label }: NotificationKind,
): NonNullable<NotificationDraft['mail']> => ({
  template: 'mail/notification',
  model: { text, label, params, link },
});

function personOf({ userId }: Actor): string {
  if (userId === null) throw new UnauthenticatedError('unauthenticated');
  return userId;
}
