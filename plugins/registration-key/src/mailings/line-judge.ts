import { newId, type Host } from 'latchkey/plugin-api';
import { normaliseAddress } from '../keys/address.ts';
import { assertAddressFits } from '../seats/refusal.ts';
import type { InvitationKey } from '../keys/invitation-key.ts';
import { findKeys } from '../keys/key-repository.ts';
import { findInvited } from './invitee-repository.ts';
import { findMailedKeys } from './mailing-repository.ts';
import type { PersonRow } from './people-table.ts';
import type { Line, Verdict } from './round.ts';
import { isOpenFor } from './round-policy.ts';

export interface Judging {
  roundId: string;
  /** The key everybody is to get; null while it is open which. */
  key: InvitationKey | null;
  /** Addresses, or staff numbers, that stand on an earlier line. */
  seen: Map<string, number>;
  byNumber: boolean;
  groups: GroupNames;
}

interface Judgement {
  verdict: Verdict;
  reason: string | null;
  reasonFacts: Record<string, string | number> | null;
}

interface Known {
  accounts: ReadonlySet<string>;
  invited: ReadonlySet<string>;
}

const judgement = (
  verdict: Verdict,
  reason: string | null = null,
  reasonFacts: Judgement['reasonFacts'] = null,
): Judgement => ({ verdict, reason, reasonFacts });

/** Sorts the lines of a list: who can be invited, and why the others not. */
export class LineJudge {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** A few hundred at a time. `position` counts on from what is seen already. */
  async judge(rows: readonly PersonRow[], judging: Judging, from: number): Promise<Line[]> {
    const norms = rows.map(({ email }) => (judging.byNumber ? null : normaliseAddress(email)));
    const known = await this.#known(
      norms.filter((one) => one !== null),
      judging.key,
    );
    return rows.map((row, at) => {
      const emailNorm = norms[at] ?? null;
      const staffNumber = judging.byNumber ? normaliseStaffNumber(row.staffNumber) : null;
      return {
        ...blankLine(judging.roundId),
        position: from + at,
        line: row.line,
        written: row.written,
        email: row.email.slice(0, 320),
        emailNorm,
        name: row.name,
        locale: isLanguage(row.locale) ? row.locale : null,
        staffNumber,
        groupIds: judging.groups.idsOf(row.groups),
        ...(judging.byNumber
          ? judgeNumber(staffNumber, row.line, judging.seen)
          : judgeAddress({ email: row.email, emailNorm, line: row.line }, judging, known)),
      };
    });
  }

  /** Corrected lines, against what stands on the others. */
  async judgeAgain(lines: readonly Line[], judging: Judging): Promise<Line[]> {
    const norms = lines.map(({ email }) => normaliseAddress(email));
    const known = await this.#known(
      norms.filter((one) => one !== null),
      judging.key,
    );
    return lines.map((line, at) => {
      const emailNorm = norms[at] ?? null;
      return { ...line, emailNorm, ...judgeAddress({ ...line, emailNorm }, judging, known) };
    });
  }

  async #known(emailNorms: string[], key: InvitationKey | null): Promise<Known> {
    const { db, users } = this.#host;
    const accounts = await users.findByEmails(emailNorms);
    const invited =
      key === null ? await this.#withLiveKey(emailNorms) : await findInvited(db, key.id, emailNorms);
    return {
      accounts: new Set(accounts.keys()),
      invited: new Set(invited.map(({ emailNorm }) => emailNorm)),
    };
  }

  /** Those who hold a key of their own that still works. */
  async #withLiveKey(emailNorms: readonly string[]): Promise<{ emailNorm: string }[]> {
    const { db, clock } = this.#host;
    const mailed = await findMailedKeys(db, emailNorms);
    const keys = await findKeys(
      db,
      mailed.map(({ keyId }) => keyId),
    );
    const now = clock.now();
    return mailed.filter(({ keyId, emailNorm }) => {
      const key = keys.get(keyId);
      return key?.emailNorm === emailNorm && isOpenFor(key, now);
    });
  }
}

function judgeAddress(
  { email, emailNorm, line }: Pick<Line, 'email' | 'emailNorm' | 'line'>,
  { key, seen }: Pick<Judging, 'key' | 'seen'>,
  { accounts, invited }: Known,
): Judgement {
  if (email.trim() === '') return judgement('malformed', 'empty');
  if (emailNorm === null || emailNorm.length > 320) return judgement('malformed', 'no_address');
  const before = seen.get(emailNorm);
  if (before !== undefined) return judgement('duplicate', 'duplicate', { line: before });
  const misfit = key === null ? null : misfitOf(key, emailNorm);
  if (misfit !== null) return misfit;
  seen.set(emailNorm, line);
  if (accounts.has(emailNorm)) return judgement('has-account');
  return judgement(invited.has(emailNorm) ? 'invited' : 'ready');
}

function judgeNumber(staffNumber: string | null, line: number, seen: Map<string, number>): Judgement {
  if (staffNumber === null) return judgement('malformed', 'no_number');
  const before = seen.get(staffNumber);
  if (before !== undefined) return judgement('duplicate', 'duplicate', { line: before });
  seen.set(staffNumber, line);
  return judgement('ready');
}

function misfitOf(key: InvitationKey, emailNorm: string): Judgement | null {
  try {
    assertAddressFits(key, emailNorm);
    return null;
  } catch {
    if (key.emailNorm !== null) return judgement('refused', 'other_person');
    return judgement('refused', 'domain', { domains: key.emailDomains.map((rule) => `@${rule}`).join(', ') });
  }
}

/** However it is typed: capitals, no spaces or marks between. Null when nothing is left. */
export function normaliseStaffNumber(text: string): string | null {
  const normal = text
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[\s.\-_/]+/g, '');
  return /^[\p{L}\p{N}]{1,60}$/u.test(normal) ? normal : null;
}

const isLanguage = (locale: string): boolean => locale === 'en' || locale === 'fr';

/** A line of which nothing is said yet. */
export const blankLine = (
  roundId: string,
): Omit<Line, 'position' | 'line' | 'written' | 'email' | 'emailNorm'> => ({
  id: newId(),
  roundId,
  name: '',
  locale: null,
  staffNumber: null,
  groupIds: [],
  verdict: 'ready',
  reason: null,
  reasonFacts: null,
  state: 'waiting',
  problem: null,
  keyId: null,
  inviteeId: null,
  settledAt: null,
});

/** Names of a list as groups of the house; what nobody here is called is told. */
export class GroupNames {
  readonly unmapped = new Map<string, string>();
  readonly #ids: ReadonlyMap<string, string>;

  constructor(groups: readonly { id: string; name: string }[]) {
    this.#ids = new Map(groups.map(({ id, name }) => [folded(name), id]));
  }

  idsOf(names: readonly string[]): string[] {
    const ids: string[] = [];
    for (const name of names) {
      const id = this.#ids.get(folded(name));
      if (id === undefined) this.unmapped.set(folded(name), name.slice(0, 80));
      else if (!ids.includes(id)) ids.push(id);
    }
    return ids;
  }
}

/** `Equipe_Paris` and `Équipe Paris` are the same to whoever made the list. */
const folded = (name: string): string =>
  name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[\s_-]+/g, ' ')
    .trim();
