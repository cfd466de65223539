import { setImmediate as breathe } from 'node:timers/promises';
import { system, type Host } from 'latchkey/plugin-api';
import { findKeys } from '../keys/key-repository.ts';
import { subjectOf } from '../keys/key-service.ts';
import type { InvitationPost } from './invitation-post.ts';
import { listToRemind, markOnce, type Invitee } from './invitee-repository.ts';
import { isOpenFor } from './round-policy.ts';

interface Deps {
  host: Host;
  post: InvitationPost;
}

const HOUR_MS = 3_600_000;
const AT_ONCE = 25;
/** Whoever was written to yesterday knows. */
const QUIET_MS = 24 * HOUR_MS;

/** Once, before a mailed invitation ends, to those who have not joined. */
export class Reminders {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Answers how many were reminded. */
  async send(signal: AbortSignal): Promise<number> {
    const { host } = this.#deps;
    const hours = await host.settings.get<number>('reminderHours');
    if (hours <= 0 || !host.mail.isOn) return 0;
    const now = host.clock.now();
    let [reminded, after] = [0, ''];
    while (!signal.aborted) {
      const times = { now, endsBefore: now + hours * HOUR_MS, quietSince: now - QUIET_MS, after };
      const some = await listToRemind(host.db, times, AT_ONCE);
      const last = some.at(-1);
      if (!last) break;
      after = last.id;
      reminded += await this.#remind(some, signal);
      await breathe();
    }
    return reminded;
  }

  async #remind(some: readonly Invitee[], signal: AbortSignal): Promise<number> {
    const { host, post } = this.#deps;
    const keys = await findKeys(host.db, [...new Set(some.map(({ keyId }) => keyId))]);
    const tooOften = await post.tooOften(some.map(({ emailNorm }) => emailNorm));
    let reminded = 0;
    for (const { id, keyId, email, emailNorm, locale } of some) {
      if (signal.aborted) break;
      const key = keys.get(keyId);
      const now = host.clock.now();
      if (key === undefined || tooOften.has(emailNorm) || !isOpenFor(key, now)) continue;
      await post.turn(1, signal);
      const [replyTo, ticket] = [await post.replyToOf(key.ownerId), await post.ticketOf(key)];
      const to = { email, emailNorm, locale: locale ?? key.locale ?? (await host.site()).locale };
      await host.transaction(async (tx) => {
        if (!(await markOnce(tx, id, 'reminded_at', now))) return;
        await post.write(tx, {
          key,
          to,
          kind: 'reminder',
          inviter: key.ownerName,
          message: '',
          sentBy: null,
          replyTo,
          ticket,
        });
        await host.audit.record(tx, system, {
          action: 'invitation-key.reminded',
          ...subjectOf(key),
          after: { to: email },
        });
        reminded += 1;
      });
    }
    return reminded;
  }
}
