import { KnownError, TooManyError, UnavailableError, type Host, type Limit } from 'latchkey/plugin-api';
import { joinCheck, joinChecks, type JoinCheck } from '../hooks.ts';
import type { InvitationKey } from '../keys/invitation-key.ts';

/** So many forms of one key in ten minutes are more than a team that joins; a class of children is told to wait two seconds. */
const BUSY: Limit = { name: 'join-busy', points: 20, perSeconds: 600 };
const PREFIX = 'check-';

/** What came with a form: the answers to a check, and to whom the check was shown. */
export interface Checked {
  answers: Readonly<Record<string, string>>;
  /** The handle of a browser, or the redeem id of a program. */
  binding: string;
  network: string;
}

/**
 * Whether a machine is at the door: asked of whatever plugin provides such a check, only where a key wants it, and before anything
 * slow is done. A key that wants one while nobody provides it lets nobody in.
 */
export class HumanCheck {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  async isWanted({ id, humanCheck }: InvitationKey): Promise<boolean> {
    if (humanCheck !== 'busy') return humanCheck === 'always';
    try {
      await this.#host.limits.check(BUSY, id);
      return false;
    } catch (error) {
      if (error instanceof TooManyError) return true;
      throw error;
    }
  }

  /** One more form; what makes a key busy. */
  async count({ id, humanCheck }: InvitationKey): Promise<void> {
    if (humanCheck !== 'busy') return;
    try {
      await this.#host.limits.count(BUSY, id);
    } catch (error) {
      if (!(error instanceof TooManyError)) throw error;
    }
  }

  /** For the form's slot: whom the check is for, and what was answered already. */
  async slotsFor(
    key: InvitationKey,
    { binding, typed = {} }: { binding: string; typed?: Readonly<Record<string, string>> },
  ): Promise<object> {
    if (!(await this.isWanted(key))) return {};
    return { 'registration-key.join-check': { ...contextOf(key, binding), answers: checkAnswersIn(typed) } };
  }

  /** For programs, which see no form. */
  async challengesFor(key: InvitationKey, binding: string): Promise<JoinCheck[]> {
    return (await this.isWanted(key)) ? this.#challenges(key, binding) : [];
  }

  /** @throws {VetoError} with the provider's reason, {UnavailableError} `invitation.check_missing` */
  async assertPassed(key: InvitationKey, { answers, binding, network }: Checked): Promise<void> {
    const isWanted = await this.isWanted(key);
    await this.count(key);
    if (!isWanted) return;
    if ((await this.#challenges(key, binding)).length === 0) throw missing();
    await this.#host.askVeto(joinCheck, { ...contextOf(key, binding), answers, network });
  }

  async #challenges(key: InvitationKey, binding: string): Promise<JoinCheck[]> {
    try {
      return await this.#host.applyFilter(joinChecks, [], contextOf(key, binding));
    } catch (error) {
      if (error instanceof KnownError) throw missing(error);
      throw error;
    }
  }
}

export const checkAnswersIn = (typed: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(typed).filter(([name]) => name.startsWith(PREFIX)));

const contextOf = (
  { id, emailProof, approval }: InvitationKey,
  binding: string,
): { keyId: string; binding: string; isProvenLater: boolean } => ({
  keyId: id,
  binding,
  isProvenLater: emailProof === 'required' || approval === 'manual',
});

const missing = (cause?: unknown): UnavailableError =>
  new UnavailableError('invitation.check_missing', { retryAfter: 600, cause });
