import { InvalidInputError, type Host } from 'latchkey/plugin-api';
import type { InvitationKey } from '../keys/invitation-key.ts';
import { fieldsOf, isSoundField, questionsOf } from './join-presenter.ts';
import type { KeyCare } from '../seats/key-care.ts';
import type { ProofBox } from '../seats/proofs.ts';
import { findByAddress } from '../seats/redemption-repository.ts';

interface Deps {
  host: Host;
  care: KeyCare;
  proofs: ProofBox;
}

/** What surrounds redeeming: the questions other plugins ask, and what is told of those who were turned away. */
export class JoinService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Only answers to questions that were really asked, and nothing else that the form may have brought. */
  async answersFrom(
    key: InvitationKey,
    typed: Readonly<Record<string, string>>,
    locale: string,
    { hasAccount = false } = {},
  ): Promise<Record<string, string>> {
    const { host } = this.#deps;
    const fields = hasAccount
      ? await questionsOf(host, key, locale)
      : (await fieldsOf(host, key, locale)).filter(isSoundField);
    const answers = fields.map(
      ({ name, value = '', fixed = false }) =>
        [name, fixed ? value : (typed[`answer-${name}`] ?? '').trim().slice(0, 1000)] as const,
    );
    const given = Object.fromEntries(answers);
    const missing = fields.filter(({ name, required }) => required && (given[name] ?? '') === '');
    const wrong = fields.filter(
      ({ name, kind, options }) =>
        kind === 'select' && given[name] !== '' && !options?.some(({ value }) => value === given[name]),
    );
    const problems = [...missing, ...wrong].map(({ name }) => ({
      field: `answer-${name}`,
      code: 'invitation.answer_missing',
    }));
    if (problems.length > 0) throw new InvalidInputError('input.invalid', { fields: problems });
    return given;
  }

  /** Whether this address has come in by this key, and its account is still there. */
  async hasJoined(key: InvitationKey, emailNorm: string): Promise<boolean> {
    const { host, proofs } = this.#deps;
    const seat = await findByAddress(host.db, key.id, proofs.addresses(emailNorm));
    if (seat?.status !== 'active' || seat.userId === null) return false;
    return (await host.users.find(seat.userId)) !== null;
  }

  /** Refusals of keys that exist are told to nobody but the audit log. */
  async recordRefusal(key: InvitationKey, reason: string, network: string): Promise<void> {
    try {
      await this.#deps.care.recordRefusal(key, reason, network);
    } catch (error) {
      this.#deps.host.log.warn({ error, keyId: key.id }, 'A refusal could not be recorded');
    }
  }
}
