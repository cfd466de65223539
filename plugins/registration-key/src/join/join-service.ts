import { InvalidInputError, system, type Host, type Limit } from 'latchkey/plugin-api';
import type { InvitationKey } from '../keys/invitation-key.ts';
import type { JoinMails } from './join-mails.ts';
import { fieldsOf, isSoundField } from './join-presenter.ts';
import { subjectOf } from '../keys/key-service.ts';
import type { KeyCare } from '../keys/key-care.ts';

const ASKING: Limit = { name: 'ask', points: 1, perSeconds: 86_400 };
const ASKED_OF_KEY: Limit = { name: 'asked', points: 20, perSeconds: 86_400 };

interface Deps {
  host: Host;
  mails: JoinMails;
  care: KeyCare;
}

/** What surrounds redeeming: the questions other plugins ask, and asking for a new invitation. */
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
  ): Promise<Record<string, string>> {
    const fields = (await fieldsOf(this.#deps.host, key, locale)).filter(isSoundField);
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

  /** Who held a key that is over may ask its owner for a new one: once a day, and the page says the same either way. */
  async ask(
    key: InvitationKey,
    form: { name: string; email: string; message: string },
    network: string,
  ): Promise<void> {
    const { host, mails } = this.#deps;
    await host.limits.count(ASKING, `${network}|${key.id}`);
    await host.limits.count(ASKED_OF_KEY, key.id);
    const owner = key.ownerId === null ? null : await host.users.find(key.ownerId);
    const readers =
      owner?.status === 'active'
        ? [owner]
        : await host.users.withRight('registration-key.manage', key.entityId);
    await host.transaction(async (tx) => {
      const after = { name: form.name, email: form.email, message: form.message };
      await host.audit.record(tx, system, {
        action: 'invitation-key.asked-for-new',
        ...subjectOf(key),
        after,
        network,
      });
      for (const reader of readers.slice(0, 5)) await mails.askedForNew(tx, reader, { key, ...form });
    });
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
