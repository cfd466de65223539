import { DateTime } from 'luxon';
import type { AuditService } from '../audit/index.ts';
import type { Database } from '../db/database.ts';
import type { MailService } from '../mail/index.ts';
import { system, type Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { ConflictError, InvalidInputError, KnownError } from '../shared/errors.ts';
import type { UserAdminService } from './user-admin-service.ts';
import type { User } from './user.ts';
import { listEnded, listEndingSoon, markEndTold, setEnd } from './user-repository.ts';
import { subjectOf, type UserService } from './user-service.ts';

interface Deps {
  db: Database;
  clock: Clock;
  audit: AuditService;
  mail: Pick<MailService, 'isOn' | 'queue'>;
  log: { warn(facts: object, message: string): void };
  site: () => Promise<{ timeZone: string }>;
  users: UserService;
  userAdmin: UserAdminService;
}

const DAY_MS = 86_400_000;
/** How long before its end a person hears of it. */
const NOTICE_MS = 7 * DAY_MS;
const AT_ONCE = 200;

/** Accounts with an end: set and moved by administrators, announced, and closed when the time has come. */
export class AccountEndService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Null is without end. A new end is announced anew. */
  async set(actor: Actor, id: string, endsAt: number | null): Promise<void> {
    const { db, clock, audit, userAdmin } = this.#deps;
    if (endsAt !== null && endsAt <= clock.now())
      throw new InvalidInputError('input.invalid', {
        fields: [{ field: 'endsAt', code: 'user.ends-in-past' }],
      });
    if (actor.userId === id) throw new ConflictError('user.own-end');
    await db.transaction(async (tx) => {
      const user = await userAdmin.managed(tx, actor, id);
      if (user.endsAt === endsAt) return;
      await setEnd(tx, id, endsAt);
      await audit.record(tx, actor, {
        action: 'user.end-set',
        subject: subjectOf(user),
        before: { endsAt: isoOf(user.endsAt) },
        after: { endsAt: isoOf(endsAt) },
      });
    });
  }

  /** Tells who ends soon, closes what has ended. Any number of processes may run it: each step is a guarded write. */
  async sweep(signal?: AbortSignal): Promise<void> {
    const { db, clock } = this.#deps;
    const now = clock.now();
    for (const user of await listEndingSoon(db, { now, until: now + NOTICE_MS, limit: AT_ONCE })) {
      if (signal?.aborted) return;
      await this.#announce(user);
    }
    for (const user of await listEnded(db, now, AT_ONCE)) {
      if (signal?.aborted) return;
      await this.#close(user);
    }
  }

  async #announce(user: User): Promise<void> {
    const { db, clock, mail, site } = this.#deps;
    const { timeZone } = await site();
    await db.transaction(async (tx) => {
      if (!(await markEndTold(tx, user, clock.now())) || !mail.isOn) return;
      await mail.queue(tx, {
        to: { email: user.email, name: user.name },
        template: 'identity/mail/account-ends',
        model: { name: user.name, on: dayInWords(user, timeZone) },
        locale: user.locale,
        kind: 'account-ends',
        reference: user.id,
      });
    });
  }

  async #close(user: User): Promise<void> {
    const { db, users, log } = this.#deps;
    try {
      await db.transaction((tx) => users.disable(tx, system, user.id));
    } catch (error) {
      // The last owner stays, whatever a date says.
      if (!(error instanceof KnownError)) throw error;
      await db.transaction((tx) => setEnd(tx, user.id, null));
      log.warn({ userId: user.id, code: error.code }, 'An account that has ended could not be disabled');
    }
  }
}

function dayInWords({ endsAt, locale, timeZone }: User, houseZone: string): string {
  return DateTime.fromMillis(endsAt ?? 0, { zone: timeZone ?? houseZone })
    .setLocale(locale === 'en' ? 'en-GB' : locale)
    .toLocaleString(DateTime.DATETIME_FULL);
}

const isoOf = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());
