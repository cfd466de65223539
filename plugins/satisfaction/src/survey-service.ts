import {
  checkToken,
  defineEvent,
  GoneError,
  mintToken,
  newId,
  NotFoundError,
  type Host,
  type PersonFacts,
  type TicketFacts,
  type Tx,
} from 'latchkey/plugin-api';
import { isLow, type Rating, type Survey } from './survey.ts';
import {
  dropWaiting,
  findByToken,
  insertSurvey,
  listDue,
  markAnswered,
  markAsked,
  markSkipped,
} from './survey-repository.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const AT_ONCE = 50;
const PURPOSE = 'survey';
const WRONG_LINKS = { name: 'wrong-link', points: 20, perSeconds: 600 };

/** Somebody has said how it was; other plugins may listen. */
export const answered = defineEvent<{
  ticketId: string;
  ticketNumber: number;
  entityId: string;
  rating: Rating;
}>({
  name: 'satisfaction.answered',
  summary: 'Somebody said how satisfied they are with how their ticket was solved.',
  since: '0.1.0',
});

export interface Answer {
  rating: Rating;
  comment: string;
}

/** Asks whoever needed help how it was: once, by mail, some time after; and takes their answer. */
export class SurveyService {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Whoever solved their own ticket is not asked. */
  async plan(tx: Tx, ticket: TicketFacts, solvedBy: string | null): Promise<void> {
    if (solvedBy === ticket.requesterId) return;
    const hours = await this.#host.settings.get<number>('delayHours');
    await insertSurvey(tx, {
      id: newId(),
      ticketId: ticket.id,
      ticketNumber: ticket.number,
      ticketTitle: ticket.title,
      entityId: ticket.entityId,
      requesterId: ticket.requesterId,
      state: 'waiting',
      dueAt: this.#host.clock.now() + hours * HOUR_MS,
      askedAt: null,
      endsAt: null,
      tokenMac: null,
      rating: null,
      comment: '',
      answeredAt: null,
    });
  }

  /** It was not solved after all: the next time it is, they are asked. */
  async callOff(tx: Tx, ticketId: string): Promise<void> {
    await dropWaiting(tx, ticketId);
  }

  /** Sends what is due. */
  async ask(): Promise<void> {
    const { clock, db, users } = this.#host;
    const due = await listDue(db, clock.now(), AT_ONCE);
    const people = await users.named(due.map(({ requesterId }) => requesterId));
    for (const survey of due) await this.#askOne(survey, people.get(survey.requesterId));
  }

  async #askOne(survey: Survey, person: PersonFacts | undefined): Promise<void> {
    const { clock, keys, mail } = this.#host;
    if (person?.status !== 'active' || !mail.isOn) {
      await this.#host.transaction((tx) => markSkipped(tx, survey.id));
      return;
    }
    const [days, site] = [await this.#host.settings.get<number>('validDays'), await this.#host.site()];
    const token = mintToken('lkmail_');
    const now = clock.now();
    const endsAt = now + days * DAY_MS;
    const url = `${site.origin}/p/satisfaction/answer/${token}`;
    await this.#host.transaction(async (tx) => {
      const tokenMac = keys.mac(PURPOSE, token).digest;
      if (!(await markAsked(tx, survey.id, { tokenMac, askedAt: now, endsAt }))) return;
      await mail.queue(tx, {
        to: { email: person.email, name: person.name },
        template: 'satisfaction/mail/ask',
        kind: 'satisfaction',
        locale: person.locale,
        reference: survey.id,
        model: {
          url,
          number: survey.ticketNumber,
          title: survey.ticketTitle,
          endsAt,
          choices: choicesOf(url),
        },
      });
    });
  }

  /** The survey of a link; looking at it changes nothing. Guessing is counted. */
  async find(link: string, ip: string): Promise<Survey> {
    const { limits, keys, db, clock } = this.#host;
    await limits.check(WRONG_LINKS, ip);
    const checked = checkToken(link, 'lkmail_');
    const macs = checked.ok ? keys.macs(PURPOSE, checked.normal).map(({ digest }) => digest) : [];
    const survey = macs.length > 0 ? await findByToken(db, macs) : null;
    if (!survey) {
      await limits.count(WRONG_LINKS, ip);
      throw new NotFoundError('satisfaction.unknown-link');
    }
    if (survey.state === 'asked' && (survey.endsAt ?? 0) <= clock.now())
      throw new GoneError('satisfaction.too-late');
    return survey;
  }

  /** The first answer counts; whoever sends the form twice has answered once. */
  async answer(link: string, ip: string, { rating, comment }: Answer): Promise<void> {
    const survey = await this.find(link, ip);
    const at = this.#host.clock.now();
    const readers = isLow(rating) ? await this.#readersIn(survey.entityId) : [];
    await this.#host.transaction(async (tx) => {
      if (!(await markAnswered(tx, survey.id, { rating, comment, at }))) return;
      const { ticketId, ticketNumber, entityId } = survey;
      await this.#host.emit(
        tx,
        answered,
        { ticketId, ticketNumber, entityId, rating },
        { aggregate: ticketId },
      );
      if (readers.length === 0) return;
      await this.#host.notices.notify(tx, {
        userIds: readers,
        kind: 'satisfaction.low',
        subject: { type: 'ticket', id: ticketId },
        entityId,
        link: `/tickets/${String(ticketNumber)}`,
        params: { number: ticketNumber, title: survey.ticketTitle, rating },
      });
    });
  }

  async #readersIn(entityId: string): Promise<string[]> {
    if (!(await this.#host.settings.get<boolean>('tellLow'))) return [];
    const readers = await this.#host.users.withRight('satisfaction.read', entityId);
    return readers.map(({ id }) => id);
  }
}

/** The best first: that is what most people look for. */
const choicesOf = (url: string): object[] =>
  ([5, 4, 3, 2, 1] as const).map((rating) => ({
    rating,
    face: emoji[rating],
    key: `satisfaction:rating.${String(rating)}`,
    url: `${url}?rating=${String(rating)}`,
  }));

/** Mails have no icons of ours. */
const emoji: Readonly<Record<Rating, string>> = { 1: '😞', 2: '🙁', 3: '😐', 4: '🙂', 5: '😀' };
