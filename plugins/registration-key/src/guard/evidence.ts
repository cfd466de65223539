import { type AuditRecord, type Host } from 'latchkey/plugin-api';
import type { InvitationKey } from '../keys/invitation-key.ts';
import { networksOfRedemptions } from '../seats/redemption-repository.ts';
import {
  eraseNetworks,
  eventKinds,
  hasEvent,
  insertEvent,
  listEvents,
  type EventKind,
  type KeyEvent,
} from './event-repository.ts';

/** One thing that happened to a key, whoever wrote it down. */
export interface Happening {
  id: string;
  at: number;
  /** `minted`, `refused`, `redeemed` … */
  kind: string;
  actorId: string | null;
  actorName: string;
  node: string | null;
  network: string;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
}

export interface HistoryQuery {
  kind?: string | undefined;
  before?: string | undefined;
  limit: number;
}

const AT_ONCE = 500;
const DAY_MS = 86_400_000;

/**
 * What happened to a key, in order. Acts stand in the audit log, which nobody can change; who came near without acting stands in events,
 * which forget where it came from when the time is over.
 */
export class Evidence {
  readonly #host: Host;
  readonly #opened = new Map<string, { entityId: string; network: string; at: number } | null>();

  constructor(host: Host) {
    this.#host = host;
  }

  /** Newest first; `next` leads on. */
  async history(
    key: Pick<InvitationKey, 'id'>,
    { kind, before, limit }: HistoryQuery,
  ): Promise<{ items: Happening[]; next: string | null }> {
    const host = this.#host;
    const range = { limit: limit + 1, ...(before === undefined ? {} : { before }) };
    const isEvent = kind !== undefined && (eventKinds as readonly string[]).includes(kind);
    const acts = isEvent
      ? []
      : await host.audit.history(
          { type: 'invitation-key', id: key.id },
          kind === undefined ? range : { ...range, actions: [`invitation-key.${kind}`] },
        );
    const kinds = kind === undefined ? eventKinds : eventKinds.filter((one) => one === kind);
    const events = kinds.length === 0 ? [] : await listEvents(host.db, key.id, { ...range, kinds });
    const all = [
      ...acts.filter(({ action }) => action !== 'invitation-key.refused').map(fromAudit),
      ...events.map(fromEvent),
    ].sort((one, other) => (one.id < other.id ? 1 : -1));
    const items = await this.#withNetworks(key.id, all.slice(0, limit));
    return { items, next: all.length > limit ? (items.at(-1)?.id ?? null) : null };
  }

  /** Who was turned away by what; in the transaction that records it. */
  async refused(
    tx: Parameters<typeof insertEvent>[0],
    key: Pick<InvitationKey, 'id' | 'entityId'>,
    { reason, network }: { reason: string; network: string },
  ): Promise<void> {
    await insertEvent(tx, this.#event(key, 'refused', { network, detail: { reason } }));
  }

  /** Somebody sees the form of a key. Kept in memory, so that opening writes nothing; the first time is written down soon after. */
  noticeOpened(key: Pick<InvitationKey, 'id' | 'entityId'>, network: string): void {
    if (this.#opened.has(key.id)) return;
    if (this.#opened.size >= MOST_REMEMBERED) this.#opened.clear();
    this.#opened.set(key.id, { entityId: key.entityId, network, at: this.#host.clock.now() });
  }

  async writeOpened(): Promise<void> {
    const host = this.#host;
    const waiting = [...this.#opened].flatMap(([id, one]) => (one === null ? [] : [{ id, ...one }]));
    for (const { id, entityId, network, at } of waiting) {
      this.#opened.set(id, null);
      if (await hasEvent(host.db, id, 'opened')) continue;
      await host.transaction((tx) =>
        insertEvent(tx, { ...this.#event({ id, entityId }, 'opened', { network, detail: null }), at }),
      );
    }
  }

  /** Networks are cut when they are written and forgotten after the days that the settings say; what was counted stays counted. */
  async forgetNetworks(signal: AbortSignal): Promise<void> {
    const host = this.#host;
    const days = await host.settings.get<number>('networkDays');
    const before = host.clock.now() - days * DAY_MS;
    for (const table of ['invite_event', 'invite_redemption'] as const) {
      let after = 0;
      for (let read = AT_ONCE; read === AT_ONCE && !signal.aborted;) {
        const done = await host.transaction((tx) =>
          eraseNetworks(tx, table, { before, after, limit: AT_ONCE }),
        );
        [read, after] = [done.read, done.upTo];
      }
    }
  }

  #event(
    key: Pick<InvitationKey, 'id' | 'entityId'>,
    kind: EventKind,
    { network, detail }: Pick<KeyEvent, 'network' | 'detail'>,
  ): Omit<KeyEvent, 'id'> {
    const { clock, node } = this.#host;
    return {
      keyId: key.id,
      entityId: key.entityId,
      kind,
      actorId: null,
      at: clock.now(),
      node,
      network,
      detail,
    };
  }

  /** Where a seat was taken from stands with the seat, where it can be forgotten. */
  async #withNetworks(keyId: string, items: Happening[]): Promise<Happening[]> {
    const seats = items.flatMap(({ kind, after }) => (kind === 'redeemed' ? [Number(after?.['seat'])] : []));
    const networks = await networksOfRedemptions(this.#host.db, keyId, seats);
    return items.map((item) =>
      item.kind === 'redeemed'
        ? { ...item, network: networks.get(Number(item.after?.['seat'])) ?? '' }
        : item,
    );
  }
}

const MOST_REMEMBERED = 50_000;

const fromAudit = ({ id, at, action, actorId, actorName, node, before, after }: AuditRecord): Happening => ({
  id,
  at,
  kind: action.replace('invitation-key.', ''),
  actorId,
  actorName,
  node,
  network: '',
  before,
  after,
});

const fromEvent = ({ id, at, kind, actorId, node, network, detail }: KeyEvent): Happening => ({
  id,
  at,
  kind,
  actorId,
  actorName: '',
  node,
  network,
  before: null,
  after: detail,
});
