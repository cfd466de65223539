import { route, view, z, type Host, type Route } from 'latchkey/plugin-api';
import { faces, isRating, ratings } from './survey.ts';
import type { ResultsService, Summary } from './results-service.ts';

const access = { right: 'satisfaction.read' } as const;
const PER_PAGE = 25;
const DAYS = 30;

/** `/p/satisfaction`: how it is going, and what people wrote. */
export function resultRoutes(host: Host, results: ResultsService): Route[] {
  return [
    route({
      method: 'get',
      path: '/p/satisfaction',
      access,
      query: z.object({
        rating: z.coerce.number().refine(isRating).nullable().catch(null),
        page: z.coerce.number().int().min(1).max(10_000).catch(1),
      }),
      handler: async ({ actor, query: { rating, page }, locale }) => {
        const [summary, weeks, found] = await Promise.all([
          results.summary(actor, DAYS),
          results.weeks(actor),
          results.answers(actor, rating, { page, perPage: PER_PAGE }),
        ]);
        const people = await host.users.named(found.items.map(({ requesterId }) => requesterId));
        const day = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' });
        return view('satisfaction/results', {
          ...figuresOf(summary, locale),
          byRating: barsOf(host, summary, locale),
          weeks: weeks.map(({ from, average }) => ({ label: day.format(from), value: average })),
          isFiltered: rating !== null,
          tabs: [null, ...ratings.toReversed()].map((one) => ({
            path: one === null ? '/p/satisfaction' : `/p/satisfaction?rating=${String(one)}`,
            key: one === null ? 'satisfaction:results.all' : `satisfaction:rating.${String(one)}`,
            active: one === rating,
          })),
          answers: found.items.map((answer) => ({
            ...answer,
            ...faces[answer.rating],
            key: `satisfaction:rating.${String(answer.rating)}`,
            person: people.get(answer.requesterId)?.name ?? '?',
            path: `/tickets/${String(answer.ticketNumber)}`,
          })),
          page: { page: found.page, perPage: found.perPage, total: found.total },
        });
      },
    }),
  ];
}

export const inFigures = (average: number, locale: string): string =>
  average.toLocaleString(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

function figuresOf({ average, answers, asked, days }: Summary, locale: string): object {
  const share = asked === 0 ? null : Math.min(1, answers / asked);
  return {
    average: average === null ? null : inFigures(average, locale),
    total: answers,
    asked,
    days,
    share: share === null ? null : share.toLocaleString(locale, { style: 'percent' }),
  };
}

/** The best first. */
export const barsOf = (
  host: Host,
  { distribution }: Summary,
  locale: string,
): { label: string; value: number; tone: string }[] =>
  ratings.toReversed().map((rating) => ({
    label: host.t(`rating.${String(rating)}`, {}, locale),
    value: distribution[rating],
    tone: faces[rating].tone,
  }));
