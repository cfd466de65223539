import { setImmediate as breathe } from 'node:timers/promises';
import {
  ConflictError,
  ForbiddenError,
  InvalidInputError,
  NotFoundError,
  TooManyError,
  type Actor,
  type Host,
  type Limit,
  type Page,
  type PageRequest,
} from 'latchkey/plugin-api';
import { normaliseAddress } from '../keys/address.ts';
import { seatsLeft, type InvitationKey } from '../keys/invitation-key.ts';
import { assertMayManage, assertMayMint } from '../keys/key-policy.ts';
import { countOpenKeysOfBatch, findKey, openKeysOfBatch } from '../keys/key-repository.ts';
import { raiseVersion } from './key-touch-repository.ts';
import { subjectOf, type KeyService } from '../keys/key-service.ts';
import { DAY_MS, type KeyDraft } from '../keys/key-terms.ts';
import type { Places } from '../keys/places.ts';
import type { RosterBook } from '../roster/roster-book.ts';
import { countDeliveries, type DeliveryCounts } from './invitee-repository.ts';
import { GroupNames, LineJudge, type Judging } from './line-judge.ts';
import {
  countStates,
  countVerdicts,
  findAddresses,
  findLines,
  insertLines,
  listLines,
  nextLines,
  rewriteLine,
  type LineFilter,
} from './line-repository.ts';
import { nameAndAddress, readPeople, type PersonRow } from './people-table.ts';
import {
  chosenVerdicts,
  isMendable,
  roundSubject,
  type Line,
  type LineState,
  type Round,
  type RoundTerms,
  type VerdictCounts,
} from './round.ts';
import {
  countStarted,
  deleteDraft,
  findRound,
  insertRound,
  listRounds,
  moveRound,
} from './round-repository.ts';
import {
  assertMayChangeRound,
  assertOpenFor,
  mayChangeRound,
  newRound,
  seeRound,
  type SeenRound,
} from './round-policy.ts';
import type { RoundRunner } from './round-runner.ts';

interface Deps {
  host: Host;
  keys: KeyService;
  places: Places;
  rosters: RosterBook;
  runner: RoundRunner;
}

export interface PeopleList {
  text: string;
  /** A file's name. */
  source: string;
  /** For a key that is there already. */
  keyId?: string | undefined;
  /** Staff numbers instead of addresses: for a list that the key is checked against. */
  byNumber?: boolean;
}

export interface Decision {
  kind: 'shared' | 'personal' | 'roster';
  message: string;
  locale: string | null;
  terms: RoundTerms;
}

export interface Correction {
  lineId: string;
  email: string;
  leaveOut: boolean;
}

export interface Corrected {
  ready: number;
  /** Of those that somebody changed. */
  stillWrong: number;
}

export interface RoundFacts {
  round: Round;
  key: InvitationKey | null;
  verdicts: VerdictCounts;
  states: Record<LineState, number>;
  deliveries: DeliveryCounts;
  mayManage: boolean;
}

const AT_ONCE = 100;
const EXPORTED_AT_ONCE = 500;
/** A proxy in between does not wait much longer for an answer. */
const PATIENCE_MS = 20_000;
const LISTS: Limit = { name: 'lists', points: 60, perSeconds: 3600 };

/** Lists of people who are to be invited: read, looked at, corrected, decided, and sent on their way. */
export class RoundService {
  readonly #deps: Deps;
  readonly #judge: LineJudge;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#judge = new LineJudge(deps.host);
  }

  /** Reads a list and sorts it. Nobody is written to; more people than allowed at once are refused before anything is kept. */
  async open(actor: Actor, list: PeopleList): Promise<Round> {
    const { host, places } = this.#deps;
    const key = list.keyId === undefined ? null : await findKey(host.db, list.keyId);
    if (list.keyId !== undefined) assertMayManage(actor, key);
    const entityId = key?.entityId ?? (await places.of(actor, {})).entity.id;
    if (key === null) assertMayMint(actor, entityId);
    if (!actor.can('registration-key.read', entityId)) throw new ForbiddenError('round.may_not_change');
    if (actor.userId !== null) await host.limits.count(LISTS, actor.userId);
    const { rows, format } = await this.#read(list);
    const round = newRound(actor, host.clock.now(), {
      entityId,
      keyId: key?.id ?? null,
      kind: list.byNumber === true ? 'roster' : 'shared',
      source: list.source.slice(0, 160),
      format: list.byNumber === true ? 'numbers' : format,
    });
    const groups = new GroupNames(await host.memberships.groups());
    const byNumber = list.byNumber === true;
    const judging = { roundId: round.id, key, seen: new Map<string, number>(), byNumber, groups };
    // The names that nobody has are known before anything is kept.
    for (const { groups: named } of rows) groups.idsOf(named);
    await host.transaction((tx) =>
      insertRound(tx, { ...round, unmappedGroups: [...groups.unmapped.values()].slice(0, 100) }),
    );
    try {
      await this.#keepLines(rows, judging);
    } catch (error) {
      await host.transaction((tx) => deleteDraft(tx, round.id));
      throw error;
    }
    return round;
  }

  async list(actor: Actor, filter: { keyId?: string }, page: PageRequest): Promise<Page<Round>> {
    const entities = actor.entitiesWith('registration-key.read');
    return listRounds(this.#deps.host.db, { ...filter, entities }, page);
  }

  async get(actor: Actor, id: string): Promise<RoundFacts> {
    const { host } = this.#deps;
    const seen = await seeRound(host.db, actor, id);
    const { round } = seen;
    return {
      ...seen,
      verdicts: await countVerdicts(host.db, id),
      states: await countStates(host.db, id, chosenVerdicts(round.terms)),
      deliveries: await countDeliveries(host.db, { roundId: id }),
      mayManage: mayChangeRound(actor, seen),
    };
  }

  async lines(actor: Actor, filter: LineFilter, page: PageRequest): Promise<Page<Line>> {
    await seeRound(this.#deps.host.db, actor, filter.roundId);
    return listLines(this.#deps.host.db, filter, page);
  }

  /** All of them, some at a time. */
  async *allLines(actor: Actor, filter: LineFilter): AsyncGenerator<Line[]> {
    const { host } = this.#deps;
    await seeRound(host.db, actor, filter.roundId);
    for (let after = -1; ;) {
      const some = await nextLines(host.db, { ...filter, after }, EXPORTED_AT_ONCE);
      if (some.length === 0) return;
      yield some;
      after = some.at(-1)?.position ?? after;
      await breathe();
    }
  }

  /** What was mistyped is put right here; nothing of the list is lost, and neither is what was being decided. */
  async correct(
    actor: Actor,
    id: string,
    corrections: readonly Correction[],
    typed?: RoundTerms['typed'],
  ): Promise<Corrected> {
    const { host } = this.#deps;
    const { round, key } = await this.#draft(actor, id);
    const byId = new Map(corrections.map((one) => [one.lineId, one]));
    const changed = new Set<string>();
    const lines = (await findLines(host.db, id, [...byId.keys()])).flatMap((line) => {
      const correction = byId.get(line.id);
      if (!correction) return [];
      if (correction.email !== (line.email || line.written)) changed.add(line.id);
      const { email, name } = nameAndAddress(correction.email.slice(0, 320));
      return [{ line: { ...line, email, name: line.name || name }, leaveOut: correction.leaveOut }];
    });
    const kept = lines.filter(({ leaveOut }) => !leaveOut).map(({ line }) => line);
    const judged = await this.#judge.judgeAgain(kept, await this.#judgingOthers(id, key, kept));
    const leftOut = lines
      .filter(({ leaveOut }) => leaveOut)
      .map(({ line }) => ({ ...line, verdict: 'left-out', reason: null, reasonFacts: null }) as const);
    await host.transaction(async (tx) => {
      if (typed) {
        const terms = { ...round.terms, typed };
        if (!(await moveRound(tx, id, ['draft'], { terms }))) throw new ConflictError('round.not_draft');
      }
      for (const { id: lineId, email, emailNorm, name, verdict, reason, reasonFacts } of [
        ...judged,
        ...leftOut,
      ])
        await rewriteLine(tx, lineId, { email, emailNorm, name, verdict, reason, reasonFacts });
    });
    return {
      ready: judged.filter(({ verdict }) => verdict === 'ready').length,
      stillWrong: judged.filter(({ id: lineId, verdict }) => changed.has(lineId) && isMendable(verdict))
        .length,
    };
  }

  /** A list that is not wanted after all. */
  async discard(actor: Actor, id: string): Promise<void> {
    const { host } = this.#deps;
    await this.#draft(actor, id);
    const isGone = await host.transaction((tx) => deleteDraft(tx, id));
    if (!isGone) throw new ConflictError('round.not_draft');
  }

  /** From here on people are written to, or put on the key's list. */
  async start(
    actor: Actor,
    id: string,
    decision: Decision,
  ): Promise<{ round: Round; shown: { keyId: string; text: string } | null }> {
    const { host, runner } = this.#deps;
    const { round, key } = await this.#draft(actor, id);
    const wanted = (await countVerdicts(host.db, id)) satisfies VerdictCounts;
    const count = chosenVerdicts(decision.terms).reduce((sum, verdict) => sum + wanted[verdict], 0);
    if (count === 0) throw new ConflictError('round.nobody');
    const mails = decision.kind !== 'roster' || (decision.terms.mails && round.format !== 'numbers');
    if (mails && !host.mail.isOn) throw new ConflictError('invitation.mail_off');
    if (mails) await this.#assertWithinDay(actor, count);
    const terms = { ...decision.terms, mails };

    // Taken before a key is made for it: pressed twice, it is sent once.
    if (!(await host.transaction((tx) => moveRound(tx, id, ['draft'], { state: 'paused' }))))
      throw new ConflictError('round.not_draft');
    try {
      const made = await this.#keyFor(actor, round, key, { ...decision, terms }, count);
      await host.transaction(async (tx) => {
        const { kind, message, locale } = decision;
        const label = terms.draft.label ?? key?.label ?? '';
        const now = host.clock.now();
        const to = {
          state: 'sending',
          kind,
          message,
          locale,
          terms,
          label,
          keyId: made.key?.id ?? null,
          startedAt: now,
        } as const;
        if (!(await moveRound(tx, id, ['paused'], to))) throw new ConflictError('round.not_draft');
        await host.audit.record(tx, actor, {
          action: 'invitation-round.started',
          ...roundSubject({ ...round, label }),
          after: { kind, people: count, keyId: made.key?.id ?? null, source: round.source },
        });
        if (made.key)
          await host.audit.record(tx, actor, {
            action: 'invitation-key.round',
            ...subjectOf(made.key),
            after: { kind, people: count },
          });
      });
      runner.kick(id);
      return {
        round: await this.#need(id),
        shown: made.text === null || made.key === null ? null : { keyId: made.key.id, text: made.text },
      };
    } catch (error) {
      await host.transaction((tx) => moveRound(tx, id, ['paused'], { state: 'draft' }));
      throw error;
    }
  }

  async pause(actor: Actor, id: string): Promise<void> {
    await this.#move(actor, id, { from: ['sending'], to: 'paused' });
  }

  async resume(actor: Actor, id: string): Promise<void> {
    await this.#move(actor, id, { from: ['paused'], to: 'sending' });
    this.#deps.runner.kick(id);
  }

  /** Whoever was not written to by now is not written to. */
  async stop(actor: Actor, id: string): Promise<void> {
    await this.#move(actor, id, { from: ['sending', 'paused'], to: 'stopped' });
  }

  /** The wrong people were written to: their keys open nothing any more, and whoever joined stays. Some may be left when it takes long. */
  async revokeKeys(actor: Actor, id: string): Promise<{ done: number; left: number }> {
    const { host, keys } = this.#deps;
    const seen = await seeRound(host.db, actor, id);
    assertMayChangeRound(actor, seen);
    if (seen.round.state === 'sending') throw new ConflictError('round.moved_on');
    const until = performance.now() + PATIENCE_MS;
    let done = 0;
    while (performance.now() < until) {
      const open = await openKeysOfBatch(host.db, id, host.clock.now(), AT_ONCE);
      if (open.length === 0) break;
      for (const keyId of open) {
        await keys.revoke(actor, keyId);
        done += 1;
      }
    }
    return { done, left: await countOpenKeysOfBatch(host.db, id, host.clock.now()) };
  }

  async #read({
    text,
    byNumber = false,
  }: PeopleList): Promise<{ rows: PersonRow[]; format: Round['format'] }> {
    const most = await this.#deps.host.settings.get<number>('mostAtOnce');
    const table = readPeople(text, { staffNumbers: byNumber });
    const rows: PersonRow[] = [];
    for (const row of table.rows) {
      rows.push(row);
      if (rows.length > most)
        throw new InvalidInputError('round.list', {
          fields: [{ field: 'people', code: 'round.too_many', params: { limit: most } }],
        });
      if (rows.length % AT_ONCE === 0) await breathe();
    }
    if (rows.length === 0)
      throw new InvalidInputError('round.list', {
        fields: [{ field: 'people', code: 'round.nobody_there' }],
      });
    return { rows, format: table.format };
  }

  async #keepLines(rows: readonly PersonRow[], judging: Judging): Promise<void> {
    const { host } = this.#deps;
    for (let from = 0; from < rows.length; from += AT_ONCE) {
      const lines = await this.#judge.judge(rows.slice(from, from + AT_ONCE), judging, from);
      await host.transaction((tx) => insertLines(tx, lines));
      await breathe();
    }
  }

  async #judgingOthers(roundId: string, key: InvitationKey | null, lines: readonly Line[]): Promise<Judging> {
    const { host } = this.#deps;
    const mine = new Set(lines.map(({ id }) => id));
    const norms = lines.flatMap(({ email }) => addressOf(email));
    const others = await findAddresses(host.db, roundId, norms);
    const seen = new Map(
      others.filter(({ id }) => !mine.has(id)).map(({ emailNorm, line }) => [emailNorm, line]),
    );
    return { roundId, key, seen, byNumber: false, groups: new GroupNames([]) };
  }

  /** The key that everybody gets: the one that was chosen, or a new one. Personal keys are made one by one, so only checked here. */
  async #keyFor(
    actor: Actor,
    round: Round,
    key: InvitationKey | null,
    { kind, terms }: Decision,
    count: number,
  ): Promise<{ key: InvitationKey | null; text: string | null }> {
    const { host, keys } = this.#deps;
    if (kind === 'personal') {
      await this.#assertMayGiveAll(actor, round, terms);
      return { key: null, text: null };
    }
    if (key === null) {
      const usual: KeyDraft = { maxUses: count, emailProof: 'required' };
      const shown = await keys.mint(actor, { ...usual, ...terms.draft });
      if (kind === 'roster') await this.#startRoster(actor, shown.key, round, terms);
      return { key: shown.key, text: shown.text };
    }
    assertOpenFor(key, host.clock.now());
    const free = seatsLeft(key);
    if (free !== null && free < count)
      throw new InvalidInputError('round.decision', {
        fields: [{ field: 'key', code: 'round.too_few_places', params: { free, wanted: count } }],
      });
    if (kind === 'roster') await this.#startRoster(actor, key, round, terms);
    return { key, text: null };
  }

  /** From this moment the key is for nobody who is not on its list. Forms that are open are judged anew. */
  async #startRoster(actor: Actor, key: InvitationKey, round: Round, terms: RoundTerms): Promise<void> {
    const { host, rosters } = this.#deps;
    const kind = round.format === 'numbers' ? 'number' : 'email';
    const known = await rosters.of(key);
    if (known !== null && known.kind !== kind) throw new ConflictError('roster.other_kind');
    if (known !== null) return;
    if (key.email !== null) throw new ConflictError('roster.personal_key');
    if (kind === 'email' && key.emailProof === 'none') throw new ConflictError('roster.needs_proof');
    await host.transaction(async (tx) => {
      if (!(await raiseVersion(tx, key.id, key.version, host.clock.now())))
        throw new ConflictError('invitation.changed_meanwhile');
      const keepsAddresses = terms.keepsAddresses && kind === 'email';
      await rosters.start(tx, key, { kind, keepsAddresses, madeBy: actor.userId, madeByName: actor.name });
      await host.audit.record(tx, actor, {
        action: 'invitation-key.listed',
        ...subjectOf(key),
        after: { kind, keepsAddresses },
      });
    });
  }

  /** Every group of every line, before the first key is made. */
  async #assertMayGiveAll(
    actor: Actor,
    round: Round,
    { draft, groupsFromList, ...rest }: RoundTerms,
  ): Promise<void> {
    const { host, keys } = this.#deps;
    const groups = new Set(draft.groups ?? []);
    let email = '';
    let after = -1;
    for (;;) {
      const lines = await nextLines(
        host.db,
        { roundId: round.id, verdicts: chosenVerdicts({ draft, groupsFromList, ...rest }), after },
        AT_ONCE,
      );
      const last = lines.at(-1);
      if (!last) break;
      email ||= last.email;
      if (groupsFromList) for (const { groupIds } of lines) for (const id of groupIds) groups.add(id);
      after = last.position;
      await breathe();
    }
    await keys.mayMint(actor, { ...draft, email, groups: [...groups] });
  }

  async #assertWithinDay(actor: Actor, count: number): Promise<void> {
    const { host } = this.#deps;
    if (actor.userId === null) return;
    const most = await host.settings.get<number>('mailsADay');
    const sent = await countStarted(host.db, actor.userId, host.clock.now() - DAY_MS);
    if (sent + count > most)
      throw new TooManyError('round.mails_a_day', {
        params: { limit: most, left: Math.max(0, most - sent) },
        retryAfter: 3600,
      });
  }

  async #move(
    actor: Actor,
    id: string,
    { from, to }: { from: Round['state'][]; to: 'paused' | 'sending' | 'stopped' },
  ): Promise<void> {
    const { host } = this.#deps;
    const seen = await seeRound(host.db, actor, id);
    assertMayChangeRound(actor, seen);
    const { round } = seen;
    await host.transaction(async (tx) => {
      const finished = to === 'stopped' ? { finishedAt: host.clock.now() } : {};
      if (!(await moveRound(tx, id, from, { state: to, ...finished })))
        throw new ConflictError('round.moved_on');
      await host.audit.record(tx, actor, { action: `invitation-round.${to}`, ...roundSubject(round) });
    });
  }

  async #draft(actor: Actor, id: string): Promise<SeenRound> {
    const seen = await seeRound(this.#deps.host.db, actor, id);
    assertMayChangeRound(actor, seen);
    if (seen.round.state !== 'draft') throw new ConflictError('round.not_draft');
    return seen;
  }

  async #need(id: string): Promise<Round> {
    const round = await findRound(this.#deps.host.db, id);
    if (round === null) throw new NotFoundError('round.not_found');
    return round;
  }
}

function addressOf(email: string): string[] {
  const normal = normaliseAddress(email);
  return normal === null ? [] : [normal];
}
