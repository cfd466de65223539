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
  #counts = new Map<string, number>();
  /** Handles that have been counted, so that a page that is loaded again is not another person. */
  readonly #seen = new Set<string>();
  readonly #started = new Set<string>();

  constructor(host: Host) {
    this.#host = host;
  }

  /** A link was followed. Whether by a person shows when the browser comes back with what it was given. */
  followed(handle: Opened, visit: Visit, mailing: Pick<Mailing, 'at'> | null): void {
    const tooSoon = mailing !== null && this.#host.clock.now() - mailing.at < TOO_SOON_MS;
    this.#add(
      handle,
      tooSoon || visit.isHead === true || isScanner(visit.userAgent) ? 'scanned' : 'followed',
    );
  }

  /** A code was typed in, which no scanner does. */
  typed(handle: Opened): void {
    this.#add(handle, 'typed');
  }

  /** The page is opened with its cookie; true when it is a person who was not here before. */
  seen(handle: Opened, visit: Visit): boolean {
    if (this.#seen.has(handle.name) || visit.isHead === true || isScanner(visit.userAgent)) return false;
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
      await addToFunnel(this.#host, [...counts].map(read), this.#host.clock.now());
    } catch (error) {
      for (const [key, amount] of counts) this.#counts.set(key, (this.#counts.get(key) ?? 0) + amount);
      throw error;
    }
  }

  #add({ keyId, copyId }: Opened, step: FunnelStep, reason = ''): void {
    const key = `${keyId}|${copyId ?? ''}|${step}|${reason}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }
}

function read([key, amount]: [string, number]): FunnelCount {
  const [keyId = '', copyId = '', step = '', reason = ''] = key.split('|');
  return { keyId, copyId, step: step as FunnelStep, reason, amount };
}

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
