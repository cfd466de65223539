import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { digestOf } from '../crypto/digest.ts';
import type { KeyRing } from '../crypto/key-ring.ts';
import { openText, sealText } from '../crypto/sealed-text.ts';
import type { CookieChange } from '../http/reply.ts';
import type { Clock } from '../shared/clock.ts';
import type { NewIdentity } from './user-identity.ts';

interface Deps {
  clock: Clock;
  /** Seals what the browser carries to the provider and back. */
  keys: KeyRing;
}

export type Cookies = ReadonlyMap<string, string>;

const tripSchema = z.object({
  provider: z.string(),
  purpose: z.enum(['sign-in', 'link', 'confirm', 'join']),
  /** What the browser must still hold when it is back: its session, or the handle of an invitation. */
  binding: z.string(),
  next: z.string(),
  again: z.boolean(),
  secret: z.string(),
  memory: z.string(),
  until: z.number(),
});

/** A browser's way to a provider and back. */
export type Trip = z.output<typeof tripSchema>;
export type TripDraft = Omit<Trip, 'secret' | 'memory' | 'until'>;

const arrivedSchema = z.object({
  identity: z.object({
    provider: z.string(),
    issuer: z.string(),
    subject: z.string(),
    email: z.string().nullable(),
    emailVerified: z.boolean(),
  }),
  title: z.string(),
  name: z.string().nullable(),
  until: z.number(),
});

/** Somebody a provider has named, of whom we know no account yet. */
export interface ArrivedIdentity {
  identity: NewIdentity;
  /** What the provider is called. */
  title: string;
  name: string | null;
}

const TRIP = 'trip_';
const ARRIVED = 'arrived_';
const MOST_AT_ONCE = 5;
const LIFE_MS = 10 * 60_000;
const ARRIVED_LIFE_MS = 30 * 60_000;
const STATE = /^([\w-]{8})\.([\w-]{43})$/;

/**
 * Everything about a trip travels in the browser, sealed, in a cookie of its own, so that tabs do not take each other's way and a
 * stranger who starts a thousand trips writes nothing. The `state` of the protocol names the cookie and must match what is in it.
 */
export class ProviderTrips {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  newState(): string {
    return `${randomBytes(6).toString('base64url')}.${randomBytes(32).toString('base64url')}`;
  }

  begin(cookies: Cookies, state: string, draft: TripDraft & { memory: string }): CookieChange[] {
    const [name = '', secret = ''] = state.split('.');
    const until = this.#deps.clock.now() + LIFE_MS;
    const value = sealText(this.#deps.keys, { ...draft, secret, until } satisfies Trip, `${TRIP}${name}`);
    const held = [...cookies.keys()].filter((one) => one.startsWith(TRIP));
    // Browsers send the oldest first.
    const surplus = held.slice(0, Math.max(0, held.length - MOST_AT_ONCE + 1));
    return [{ name: TRIP + name, value, maxAge: LIFE_MS / 1000 }, ...surplus.map(gone)];
  }

  /** Null for a state that this browser did not start, or started too long ago. */
  read(cookies: Cookies, state: string): Trip | null {
    const [, name = '', secret = ''] = STATE.exec(state) ?? [];
    const trip = this.#opened(cookies.get(TRIP + name), `${TRIP}${name}`, tripSchema);
    return trip?.secret === secret && this.#deps.clock.now() < trip.until ? trip : null;
  }

  forget(state: string): CookieChange[] {
    const name = STATE.exec(state)?.[1];
    return name === undefined ? [] : [gone(TRIP + name)];
  }

  /** Until when a second return with the same state must be recognised. */
  get spentUntil(): number {
    return this.#deps.clock.now() + LIFE_MS;
  }

  keepArrived(binding: string, arrived: ArrivedIdentity): CookieChange {
    const name = arrivedName(binding);
    const until = this.#deps.clock.now() + ARRIVED_LIFE_MS;
    const value = sealText(this.#deps.keys, { ...arrived, until }, contextOf(binding));
    return { name, value, maxAge: ARRIVED_LIFE_MS / 1000 };
  }

  arrived(cookies: Cookies, binding: string): ArrivedIdentity | null {
    // Nearly nobody has been at a provider, and hundreds open the page that asks: a digest for each is dear.
    if (!hasArrived(cookies)) return null;
    const found = this.#opened(cookies.get(arrivedName(binding)), contextOf(binding), arrivedSchema);
    return found && this.#deps.clock.now() < found.until ? found : null;
  }

  forgetArrived(binding: string): CookieChange {
    return gone(arrivedName(binding));
  }

  #opened<T>(value: string | undefined, context: string, schema: z.ZodType<T>): T | null {
    if (value === undefined) return null;
    try {
      return schema.parse(openText(this.#deps.keys, value, context));
    } catch {
      // Altered, or of another house: as if it were not there.
      return null;
    }
  }
}

const gone = (name: string): CookieChange => ({ name, value: null });

function hasArrived(cookies: Cookies): boolean {
  for (const name of cookies.keys()) if (name.startsWith(ARRIVED)) return true;
  return false;
}

const arrivedName = (binding: string): string =>
  ARRIVED + digestOf(`arrived|${binding}`).toString('base64url').slice(0, 8);
const contextOf = (binding: string): string => `${ARRIVED}${binding}`;
