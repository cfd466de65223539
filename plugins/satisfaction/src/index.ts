import {
  dashboardCards,
  definePlugin,
  ticketReopened,
  ticketSearchFields,
  ticketSolved,
  ticketTimeline,
} from 'latchkey/plugin-api';
import { answerRoutes } from './answer-routes.ts';
import { barsOf, inFigures, resultRoutes } from './result-routes.ts';
import { ResultsService } from './results-service.ts';
import { satisfactionApi } from './satisfaction-api.ts';
import { faces, isRating } from './survey.ts';
import { answerOf, ticketsRated } from './survey-repository.ts';
import { answered, SurveyService } from './survey-service.ts';

const DAYS = 30;
/** A search shows the newest of a rating that more tickets have. */
const MOST_FOUND = 2_000;

/** One question after a ticket was solved: how was it? */
export default definePlugin((host) => {
  const surveys = new SurveyService(host);
  const results = new ResultsService(host);

  host.provideHooks([answered]);
  host.notices.addKind({
    id: 'satisfaction.low',
    text: 'satisfaction:notice.low',
    label: 'satisfaction:notice.low-label',
    icon: 'mood-sad',
    bell: true,
    mail: false,
  });

  host.on(ticketSolved, ({ ticket, actorId }, delivery) =>
    delivery.once((tx) => surveys.plan(tx, ticket, actorId)),
  );
  host.on(ticketReopened, ({ ticket }, delivery) => delivery.once((tx) => surveys.callOff(tx, ticket.id)));
  host.job('ask', () => surveys.ask());

  host.routes([...answerRoutes(surveys), ...resultRoutes(host, results), ...satisfactionApi(results)]);

  host.contribute(dashboardCards, async ({ actor }) => {
    if (!actor.can('satisfaction.read')) return null;
    const summary = await results.summary(actor, DAYS);
    const say = (key: string, params: Record<string, string | number> = {}): string =>
      host.t(key, params, actor.locale);
    const shared = {
      title: say('card.title'),
      link: { path: '/p/satisfaction', label: say('card.link') },
    };
    if (summary.average === null) return { ...shared, text: say('card.nothing') };
    return {
      ...shared,
      figure: {
        value: say('card.average', { average: inFigures(summary.average, actor.locale) }),
        note: say('card.note', { count: summary.answers, days: DAYS }),
      },
      chart: {
        kind: 'bars' as const,
        title: say('results.by-rating'),
        items: barsOf(host, summary, actor.locale),
        what: say('results.rating'),
        count: say('results.answers'),
      },
    };
  });

  // Whoever asked sees what they said; all others, those who may read notes.
  host.contribute(ticketTimeline, async ({ actor, ticket }) => {
    const answer = await answerOf(host.db, ticket.id);
    if (!answer) return null;
    const person = await host.users.find(answer.requesterId);
    const rating = host.t(`rating.${String(answer.rating)}`, {}, actor.locale);
    return [
      {
        id: 'answer',
        at: answer.answeredAt,
        icon: faces[answer.rating].icon,
        text: host.t(
          'timeline.answered',
          { name: person?.name ?? '?', rating, value: answer.rating },
          actor.locale,
        ),
        body: answer.comment,
        visibility: actor.userId === answer.requesterId ? ('public' as const) : ('private' as const),
      },
    ];
  });

  host.contribute(ticketSearchFields, async ({ asked: { rating: asked }, actor }) => {
    if (!actor.can('satisfaction.read')) return null;
    const [wanted, ...others] = asked ?? [];
    const rating = Number(wanted);
    const found =
      isRating(rating) && others.length === 0 ? await ticketsRated(host.db, rating, MOST_FOUND) : [];
    return { name: 'rating', example: 'rating:1', ...(asked ? { found } : {}) };
  });
});
