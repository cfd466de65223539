import { randomBytes } from 'node:crypto';
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { z } from 'zod';
import type { KeyRing } from '../crypto/key-ring.ts';
import { openText, sealText } from '../crypto/sealed-text.ts';
import type { CookieChange } from '../http/reply.ts';
import type { Clock } from '../shared/clock.ts';
import { ConflictError, InvalidInputError } from '../shared/errors.ts';
import { relyingPartyOf, type NewPasskey, type Passkey, type RelyingParty } from './passkey.ts';

interface Deps {
  clock: Clock;
  /** Seals what the browser keeps between question and answer. */
  keys: KeyRing;
  site: () => Promise<{ origin: string }>;
}

/** What a challenge was asked for; an answer to one is no answer to another. */
export type Purpose = 'add' | 'join' | 'sign-in' | 'confirm';

/** To what the challenge belongs: a session, or the handle of an invitation. */
interface Asked {
  purpose: Purpose;
  binding: string;
}

export interface Held extends Asked {
  cookies: ReadonlyMap<string, string>;
}

export interface Offer {
  /** For `navigator.credentials`, as JSON. */
  options: object;
  cookie: CookieChange;
}

const COOKIE = 'passkey';
const LIFE_MS = 5 * 60_000;
/** ES256, EdDSA, RS256: what every maker has at least one of. */
const ALGORITHMS = [-7, -8, -257];

const base64url = z
  .string()
  .max(8000)
  .regex(/^[\w-]*$/);
const transports = ['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb'] as const;
const common = { id: base64url, rawId: base64url, type: z.literal('public-key') };
const madeAnswer = z.object({
  ...common,
  response: z.object({
    clientDataJSON: base64url,
    attestationObject: base64url,
    transports: z.array(z.enum(transports)).catch([]),
  }),
});
const proofAnswer = z.object({
  ...common,
  response: z.object({ clientDataJSON: base64url, authenticatorData: base64url, signature: base64url }),
});
const stateSchema = z.object({
  challenge: z.string(),
  purpose: z.string(),
  binding: z.string(),
  rpId: z.string(),
  until: z.number(),
});
type State = z.infer<typeof stateSchema>;

/** The counter went back: somebody else may hold a copy of this key. */
export class CounterWentBack extends Error {}

/**
 * Question and answer with a device. The question is random, lives five minutes, and travels sealed in a cookie with what it is
 * for, so that asking writes nothing; that it is answered once is seen to by whoever stores the answer.
 */
export class PasskeyCeremony {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async relyingParty(): Promise<RelyingParty | null> {
    return relyingPartyOf((await this.#deps.site()).origin);
  }

  async askForNew(
    asked: Asked,
    person: { email: string; name: string; organisation: string; exclude: readonly Passkey[] },
  ): Promise<Offer> {
    const party = await this.#party();
    const challenge = randomBytes(32);
    const options = await generateRegistrationOptions({
      rpName: person.organisation,
      rpID: party.id,
      userID: new Uint8Array(randomBytes(32)),
      userName: person.email,
      userDisplayName: person.name,
      challenge: new Uint8Array(challenge),
      timeout: LIFE_MS,
      attestationType: 'none',
      excludeCredentials: person.exclude.map(({ credentialId }) => ({ id: credentialId })),
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      supportedAlgorithmIDs: ALGORITHMS,
    });
    return { options, cookie: this.#cookie(asked, challenge, party) };
  }

  async askForProof(asked: Asked, { allow }: { allow: readonly Passkey[] }): Promise<Offer> {
    const party = await this.#party();
    const challenge = randomBytes(32);
    const options = await generateAuthenticationOptions({
      rpID: party.id,
      challenge: new Uint8Array(challenge),
      timeout: LIFE_MS,
      userVerification: 'required',
      allowCredentials: allow.map(({ credentialId }) => ({ id: credentialId })),
    });
    return { options, cookie: this.#cookie(asked, challenge, party) };
  }

  /** @throws {InvalidInputError} `passkey.refused` */
  async readNew(answer: string, held: Held): Promise<{ made: NewPasskey; challenge: string }> {
    const state = this.#stateOf(held);
    const party = await this.#party();
    try {
      const response = madeAnswer.parse(JSON.parse(answer));
      const { verified, registrationInfo } = await verifyRegistrationResponse({
        response: { ...response, clientExtensionResults: {} },
        expectedChallenge: state.challenge,
        expectedOrigin: party.origin,
        expectedRPID: party.id,
        requireUserVerification: true,
        supportedAlgorithmIDs: ALGORITHMS,
      });
      if (!verified) throw refused();
      const { credential, credentialBackedUp } = registrationInfo;
      const made = {
        credentialId: credential.id,
        publicKey: Buffer.from(credential.publicKey).toString('base64url'),
        counter: credential.counter,
        transports: response.response.transports,
        rpId: party.id,
        backedUp: credentialBackedUp,
      };
      return { made, challenge: state.challenge };
    } catch (cause) {
      throw refused(cause);
    }
  }

  /** Whose key it says it is, before anything is believed. */
  claimed(answer: string): string {
    try {
      return proofAnswer.parse(JSON.parse(answer)).id;
    } catch (cause) {
      throw refused(cause);
    }
  }

  /** @throws {InvalidInputError} `passkey.refused`, {CounterWentBack} */
  async readProof(
    answer: string,
    held: Held,
    passkey: Passkey,
  ): Promise<{ counter: number; challenge: string }> {
    const state = this.#stateOf(held);
    const party = await this.#party();
    try {
      const response = proofAnswer.parse(JSON.parse(answer));
      const { verified, authenticationInfo } = await verifyAuthenticationResponse({
        response: { ...response, clientExtensionResults: {} },
        expectedChallenge: state.challenge,
        expectedOrigin: party.origin,
        expectedRPID: party.id,
        requireUserVerification: true,
        // Counted below, where going back has a name.
        credential: {
          id: passkey.credentialId,
          publicKey: new Uint8Array(passkey.publicKey),
          counter: 0,
        },
      });
      if (!verified) throw refused();
      const counter = authenticationInfo.newCounter;
      const isForward = counter > passkey.counter || (counter === 0 && passkey.counter === 0);
      if (!isForward) throw new CounterWentBack();
      return { counter, challenge: state.challenge };
    } catch (cause) {
      if (cause instanceof CounterWentBack) throw cause;
      throw refused(cause);
    }
  }

  /** Until when a second answer to a challenge must be recognised. */
  get answeredUntil(): number {
    return this.#deps.clock.now() + LIFE_MS;
  }

  readonly forget: CookieChange = { name: COOKIE, value: null };

  async #party(): Promise<RelyingParty> {
    const party = await this.relyingParty();
    if (party === null) throw new ConflictError('passkey.not-here');
    return party;
  }

  #cookie({ purpose, binding }: Asked, challenge: Buffer, party: RelyingParty): CookieChange {
    const { clock, keys } = this.#deps;
    const state: State = {
      challenge: challenge.toString('base64url'),
      purpose,
      binding,
      rpId: party.id,
      until: clock.now() + LIFE_MS,
    };
    return { name: COOKIE, value: sealText(keys, state, contextOf(purpose)), maxAge: LIFE_MS / 1000 };
  }

  #stateOf({ cookies, purpose, binding }: Held): State {
    const { clock, keys } = this.#deps;
    try {
      const state = stateSchema.parse(openText(keys, cookies.get(COOKIE) ?? '', contextOf(purpose)));
      const isOurs = state.purpose === purpose && state.binding === binding && clock.now() < state.until;
      if (!isOurs) throw refused();
      return state;
    } catch (cause) {
      throw refused(cause);
    }
  }
}

const contextOf = (purpose: Purpose): string => `passkey-challenge|${purpose}`;

export const refused = (cause?: unknown): InvalidInputError =>
  new InvalidInputError('passkey.refused', cause === undefined ? {} : { cause });
