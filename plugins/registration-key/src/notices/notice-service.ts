import { DateTime } from 'luxon';
import { countryOf, type Actor, type Host, type Notice, type Tx } from 'latchkey/plugin-api';
import { keyExpired } from '../hooks.ts';
import { seatsLeft, type InvitationKey } from '../keys/invitation-key.ts';
import { momentInWords } from '../keys/key-sentence.ts';
import { assertMayManage } from '../keys/key-policy.ts';
import { findKey, findKeys } from '../keys/key-repository.ts';
import { factsOf, subjectOf } from '../keys/key-service.ts';
import {
  choicesOf,
  concerns,
  countriesSeen,
  findConcerned,
  joinedBetween,
  markCountry,
  markSent,
  moveMark,
  readMark,
  saveChoice,
  type Concern,
  type Concerned,
  type Joined,
  type JoinNotice,
  type NoticeChoice,
} from './notice-repository.ts';

/** So late that every node has told what it knows. */
const SETTLED_MS = 10_000;
const DAY_MS = 86_400_000;
const MOST_JOINS = 2_000;
const MOST_READERS = 5;
const DIGEST_HOUR = 8;

/** Tells the owner of a key what matters about it, once and in time. */
export class NoticeService {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
    const kinds = [
      ['joined', 'user-plus', false],
      ['digest', 'users', false],
      ['nearly-used-up', 'hourglass', true],
      ['ends-soon', 'clock', true],
      ['nobody-joined', 'user-question', false],
      ['ended', 'calendar-event', true],
      ['new-country', 'world', true],
    ] as const;
    for (const [name, icon, mail] of kinds)
      host.notices.addKind({
        id: `${host.plugin.id}.${name}`,
        text: `registration-key:notice.${name}`,
        label: `registration-key:notice-kind.${name}`,
        icon,
        bell: true,
        mail,
      });
  }

  /**
   * As the owner chose for this key, else as the house does it: of a key for one person every joining is told, of one among
   * many that were made at once only what they all came to in a day.
   */
  async choiceOf(key: Pick<InvitationKey, 'id' | 'maxUses' | 'batchId'>): Promise<NoticeChoice> {
    return (await choicesOf(this.#host.db, [key.id])).get(key.id) ?? (await this.#usual(key));
  }

  async choose(actor: Actor, keyId: string, choice: NoticeChoice): Promise<void> {
    const host = this.#host;
    const key = await findKey(host.db, keyId);
    assertMayManage(actor, key);
    await host.transaction(async (tx) => {
      await saveChoice(tx, keyId, choice);
      await host.audit.record(tx, actor, {
        action: 'invitation-key.notices-chosen',
        ...subjectOf(key),
        after: { ...choice },
      });
    });
  }

  /** All that is due now: for the job. */
  async work(): Promise<void> {
    for (const concern of concerns) await this.#warn(concern);
    await this.#tellJoins();
    await this.#tellDigest();
  }

  async #usual({ maxUses, batchId }: Pick<InvitationKey, 'maxUses' | 'batchId'>): Promise<NoticeChoice> {
    if (batchId !== null) return { joins: 'digest', warnings: false };
    const { settings } = this.#host;
    const joins = maxUses === 1 ? 'each' : await settings.get<JoinNotice>('joinNotices');
    return { joins, warnings: await settings.get<boolean>('warnings') };
  }

  async #warn(concern: Concern): Promise<void> {
    const host = this.#host;
    const found = await findConcerned(host.db, concern, host.clock.now());
    const keys = await findKeys(
      host.db,
      found.map(({ keyId }) => keyId),
    );
    const chosen = await choicesOf(host.db, [...keys.keys()]);
    for (const concerned of found) {
      const { keyId } = concerned;
      const key = keys.get(keyId);
      if (key === undefined) continue;
      const { warnings } = chosen.get(keyId) ?? (await this.#usual(key));
      const readers = warnings ? await this.#readersOf(key) : [];
      const notice = this.#about(key, concern, readers, await this.#paramsOf(key));
      await this.#once(concerned, async (tx) => {
        await host.notices.notify(tx, notice);
        if (concern === 'ended')
          await host.emit(tx, keyExpired, { key: factsOf(key) }, { aggregate: key.id });
      });
    }
  }

  /** Two processes may find the same; the primary key of what was sent lets one of them through. */
  async #once(concerned: Concerned, work: (tx: Tx) => Promise<void>): Promise<void> {
    await this.#unlessOther(async (tx) => {
      if (await markSent(tx, concerned, this.#host.clock.now())) await work(tx);
    });
  }

  async #unlessOther(work: (tx: Tx) => Promise<void>): Promise<void> {
    const { db } = this.#host;
    try {
      await this.#host.transaction(work);
    } catch (error) {
      if (!db.dialect.isDuplicate(error)) throw error;
    }
  }

  /** One notice a key and a minute, however many joined in it. */
  async #tellJoins(): Promise<void> {
    const host = this.#host;
    const from = await readMark(host.db, 'joins');
    const until = host.clock.now() - SETTLED_MS;
    if (from === null) {
      await this.#unlessOther(async (tx) => {
        await moveMark(tx, 'joins', null, until);
      });
      return;
    }
    if (until <= from) return;
    const joined = await joinedBetween(host.db, { from, to: until, limit: MOST_JOINS });
    const to = joined.length < MOST_JOINS ? until : Math.max(from + 1, (joined.at(-1)?.at ?? until) - 1);
    const settled = joined.filter(({ at }) => at <= to);
    const arrivals = await arrivalsAmong(host.db, settled);
    const told = await this.#noticesFor(settled, 'each');
    const notices = await this.#aboutCountries(arrivals);
    for (const { key, readers, people } of told) {
      const name = people.length === 1 ? await this.#nameOf(people[0]) : '';
      const params = { ...(await this.#paramsOf(key)), count: people.length, name };
      notices.push(this.#about(key, 'joined', readers, params));
    }
    await this.#unlessOther(async (tx) => {
      if (!(await moveMark(tx, 'joins', from, to))) return;
      for (const arrival of arrivals) await markCountry(tx, { ...arrival, at: to });
      for (const notice of notices) await host.notices.notify(tx, notice);
    });
  }

  /** Where the first person came from is where the key is used; every other country is worth a look. */
  async #aboutCountries(arrivals: readonly Arrival[]): Promise<Notice[]> {
    const { db } = this.#host;
    const keyIds = arrivals.filter(({ isFirst }) => !isFirst).map(({ keyId }) => keyId);
    const keys = await findKeys(db, keyIds);
    const chosen = await choicesOf(db, keyIds);
    const { locale } = await this.#host.site();
    const names = new Intl.DisplayNames([locale], { type: 'region' });
    const notices: Notice[] = [];
    for (const { keyId, country, isFirst } of arrivals) {
      const key = keys.get(keyId);
      if (isFirst || key === undefined) continue;
      const { warnings } = chosen.get(keyId) ?? (await this.#usual(key));
      if (!warnings) continue;
      const params = { ...(await this.#paramsOf(key)), country: names.of(country) ?? country };
      notices.push(this.#about(key, 'new-country', await this.#readersOf(key), params));
    }
    return notices;
  }

  /** Once a day, in the morning of the house: one notice a person over all their keys. */
  async #tellDigest(): Promise<void> {
    const host = this.#host;
    const { timeZone } = await host.site();
    const now = DateTime.fromMillis(host.clock.now(), { zone: timeZone });
    const to = now.set({ hour: DIGEST_HOUR, minute: 0, second: 0, millisecond: 0 }).toMillis();
    if (now.toMillis() < to) return;
    const from = await readMark(host.db, 'digest');
    if (from !== null && from >= to) return;
    const joined = await joinedBetween(host.db, { from: from ?? to - DAY_MS, to, limit: 20_000 });
    const told = await this.#noticesFor(joined, 'digest');
    const byReader = new Map<string, { count: number; keys: InvitationKey[] }>();
    for (const { key, readers, people } of told)
      for (const reader of readers) {
        const sum = byReader.get(reader) ?? { count: 0, keys: [] };
        byReader.set(reader, { count: sum.count + people.length, keys: [...sum.keys, key] });
      }
    await this.#unlessOther(async (tx) => {
      if (!(await moveMark(tx, 'digest', from, to))) return;
      for (const [reader, { count, keys }] of byReader) {
        const [key] = keys;
        if (key === undefined) continue;
        const params = {
          count,
          keys: keys.length,
          labels: [...new Set(keys.map(nameOf))].slice(0, 3).join(', '),
        };
        const notice = this.#about(key, 'digest', [reader], params);
        await host.notices.notify(tx, { ...notice, link: '/invitation-keys/overview' });
      }
    });
  }

  async #noticesFor(
    joined: readonly Joined[],
    wanted: JoinNotice,
  ): Promise<{ key: InvitationKey; readers: string[]; people: Joined[] }[]> {
    const { db } = this.#host;
    const byKey = Map.groupBy(joined, ({ keyId }) => keyId);
    const keys = await findKeys(db, [...byKey.keys()]);
    const chosen = await choicesOf(db, [...byKey.keys()]);
    const told = [];
    for (const [keyId, people] of byKey) {
      const key = keys.get(keyId);
      if (key === undefined) continue;
      const { joins } = chosen.get(keyId) ?? (await this.#usual(key));
      if (joins === wanted) told.push({ key, people, readers: await this.#readersOf(key) });
    }
    return told;
  }

  /** Its owner; without one, those who may manage it. */
  async #readersOf({ ownerId, entityId }: InvitationKey): Promise<string[]> {
    const { users } = this.#host;
    const owner = ownerId === null ? null : await users.find(ownerId);
    if (owner?.status === 'active') return [owner.id];
    const managers = await users.withRight('registration-key.manage', entityId);
    return managers.slice(0, MOST_READERS).map(({ id }) => id);
  }

  async #paramsOf(key: InvitationKey): Promise<Notice['params']> {
    const { timeZone, locale } = await this.#host.site();
    return {
      label: nameOf(key),
      used: key.uses,
      total: key.maxUses ?? 0,
      left: seatsLeft(key) ?? 0,
      until: key.expiresAt === null ? '' : momentInWords(key.expiresAt, { timeZone, locale }),
    };
  }

  #about(key: InvitationKey, what: string, userIds: readonly string[], params: Notice['params']): Notice {
    return {
      userIds,
      kind: `${this.#host.plugin.id}.${what}`,
      subject: { type: 'invitation-key', id: key.id },
      entityId: key.entityId,
      link: `/invitation-keys/${key.id}`,
      params,
    };
  }

  async #nameOf(joined: Joined | undefined): Promise<string> {
    const person = joined?.userId ? await this.#host.users.find(joined.userId) : null;
    return person?.name ?? '';
  }
}

const nameOf = ({ label, hint }: InvitationKey): string => (label === '' ? `lkinv_${hint}…` : label);

interface Arrival {
  keyId: string;
  country: string;
  isFirst: boolean;
}

/** Each country from which nobody had come to a key before. */
async function arrivalsAmong(db: Host['db'], joined: readonly Joined[]): Promise<Arrival[]> {
  const seen = await countriesSeen(db, [...new Set(joined.map(({ keyId }) => keyId))]);
  const arrivals: Arrival[] = [];
  for (const { keyId, network } of joined) {
    const country = await countryOf(network);
    const known = seen.get(keyId) ?? new Set();
    if (country === null || known.has(country)) continue;
    arrivals.push({ keyId, country, isFirst: known.size === 0 });
    seen.set(keyId, known.add(country));
  }
  return arrivals;
}
