import type { Host, Incoming, KnownError } from 'latchkey/plugin-api';
import type { Handle } from '../join/join-handle.ts';
import type { Mailing } from '../mailings/mailing-repository.ts';
import { addToFunnel, type FunnelCount, type FunnelStep } from './funnel-repository.ts';
import { isScanner } from './scanners.ts';

type Opened = Pick<Handle, 'name' | 'keyId' | 'copyId'>;
type Visit = Pick<Incoming, 'userAgent' | 'isHead'>;

/** Nobody opens a mail so soon after it left; what checks its links does. */
const TOO_SOON_MS = 8_000;
const MOST_REMEMBERED = 50_000;

/**
 * How far people get with a key. Nothing is asked and nothing is written while somebody waits: a number in memory grows, and a job
 * writes what has come together. So looking at a link changes nothing about the key, however often and by whom it is looked at.
 */
export class Funnel {
  readonly #host: Host;
  /** By link, then by step: counting is two look-ups and an addition. */
  #counts = new Map<string, Map<string, number>>();
  readonly #isScanner = new Map<string, boolean>();
  /** Handles that have been counted, so that a page that is loaded again is not another person. */
  readonly #seen = new Set<string>();
  readonly #started = new Set<string>();

  constructor(host: Host) {
    this.#host = host;
  }

  /** A link was followed. Whether by a person shows when the browser comes back with what it was given. */
  followed(handle: Opened, visit: Visit, mailing: Pick<Mailing, 'at'> | null): void {
    const tooSoon = mailing !== null && this.#host.clock.now() - mailing.at < TOO_SOON_MS;
    this.#add(handle, tooSoon || visit.isHead === true || this.#isOfScanner(visit) ? 'scanned' : 'followed');
  }

  /** A code was typed in, which no scanner does. */
  typed(handle: Opened): void {
    this.#add(handle, 'typed');
  }

  /** The page is opened with its cookie; true when it is a person who was not here before. */
  seen(handle: Opened, visit: Visit): boolean {
    if (this.#seen.has(handle.name) || visit.isHead === true || this.#isOfScanner(visit)) return false;
    remember(this.#seen, handle.name);
    this.#add(handle, 'opened');
    return true;
  }

  /** Somebody began to fill in the form, or sent it. */
  started(handle: Opened): void {
    if (this.#started.has(handle.name)) return;
    remember(this.#started, handle.name);
    this.#add(handle, 'started');
  }

  /** The form came back. */
  failed(handle: Opened, error: KnownError): void {
    this.started(handle);
    this.#add(handle, 'failed', reasonOf(error));
  }

  /** Writes down what has come together; what cannot be written now stays for the next time. */
  async flush(): Promise<void> {
    if (this.#counts.size === 0) return;
    const counts = this.#counts;
    this.#counts = new Map();
    try {
      await addToFunnel(this.#host, read(counts), this.#host.clock.now());
    } catch (error) {
      for (const [link, steps] of counts) for (const [step, amount] of steps) this.#grow(link, step, amount);
      throw error;
    }
  }

  #add({ keyId, copyId }: Opened, step: FunnelStep, reason = ''): void {
    this.#grow(copyId ? `${keyId}|${copyId}` : keyId, reason === '' ? step : `${step}|${reason}`, 1);
  }

  #grow(link: string, step: string, amount: number): void {
    let steps = this.#counts.get(link);
    if (steps === undefined) this.#counts.set(link, (steps = new Map<string, number>()));
    steps.set(step, (steps.get(step) ?? 0) + amount);
  }

  /** Three hundred phones are of a dozen kinds. */
  #isOfScanner({ userAgent }: Visit): boolean {
    const known = this.#isScanner.get(userAgent);
    if (known !== undefined) return known;
    if (this.#isScanner.size >= 1000) this.#isScanner.clear();
    const verdict = isScanner(userAgent);
    this.#isScanner.set(userAgent, verdict);
    return verdict;
  }
}

const read = (counts: ReadonlyMap<string, ReadonlyMap<string, number>>): FunnelCount[] =>
  [...counts].flatMap(([link, steps]) =>
    [...steps].map(([named, amount]) => {
      const [keyId = '', copyId = ''] = link.split('|');
      const [step = '', reason = ''] = named.split('|');
      return { keyId, copyId, step: step as FunnelStep, reason, amount };
    }),
  );

function remember(names: Set<string>, name: string): void {
  if (names.size >= MOST_REMEMBERED) names.clear();
  names.add(name);
}

export const failReasons = ['form', 'address', 'full', 'over', 'refused', 'busy', 'other'] as const;
export type FailReason = (typeof failReasons)[number];

/** Few words that an owner can act on, instead of fifty codes. */
export function reasonOf({ kind, code }: Pick<KnownError, 'kind' | 'code'>): FailReason {
  if (kind === 'veto') return 'refused';
  if (kind === 'too-many' || kind === 'unavailable') return code === 'invitation.paused' ? 'over' : 'busy';
  if (code.startsWith('invitation.wrong_')) return 'address';
  if (code === 'invitation.used_up') return 'full';
  if (kind === 'gone' || /^invitation\.(expired|revoked|not_yet|replaced|paused)$/.test(code)) return 'over';
  return kind === 'invalid-input' ? 'form' : 'other';
}
