import {
  GoneError,
  KnownError,
  redirect,
  route,
  view,
  z,
  type Incoming,
  type Reply,
  type Route,
} from 'latchkey/plugin-api';
import { faces, isRating, ratings, type Rating, type Survey } from './survey.ts';
import type { SurveyService } from './survey-service.ts';

const PATH = '/p/satisfaction/answer/:link';
const params = z.object({ link: z.string().max(100) });
const rating = z.coerce.number().catch(0).refine(isRating, 'satisfaction.choose');
const form = z.object({ rating, comment: z.string().trim().max(2000).default('') });
/** The link is the secret: nobody keeps the page. */
const headers = { 'X-Robots-Tag': 'noindex, nofollow', 'Cache-Control': 'no-store' };

/** Where the mail leads. Opening it says nothing yet; mail programs open links too. */
export function answerRoutes(surveys: SurveyService): Route[] {
  return [
    route({
      method: 'get',
      path: PATH,
      access: 'public',
      params,
      query: z.object({ rating: rating.nullable().catch(null) }),
      handler: ({ params: { link }, query, ip }) =>
        orSayWhy(async () => page(await surveys.find(link, ip), link, { chosen: query.rating })),
    }),
    route({
      method: 'post',
      path: PATH,
      access: 'public',
      params,
      body: form,
      handler: ({ params: { link }, body, ip }) =>
        orSayWhy(async () => {
          await surveys.answer(link, ip, body);
          return redirect(`/p/satisfaction/answer/${link}`);
        }),
      onRefused: async ({ params: { link }, body, ip }: Refused, error) =>
        orSayWhy(async () =>
          page(await surveys.find(link, ip), link, { ...typedIn(body), errors: error.fields, chosen: null }),
        ),
    }),
  ];
}

type Refused = Pick<Incoming<z.output<typeof params>>, 'params' | 'body' | 'ip'>;

interface Shown {
  chosen: Rating | null;
  comment?: string;
  errors?: KnownError['fields'];
}

function page(survey: Survey, link: string, { chosen, comment = '', errors = [] }: Shown): Reply {
  const { ticketNumber: number, ticketTitle: title, rating: given } = survey;
  if (given !== null) return view('satisfaction/thanks', { ...faces[given], number, title }, { headers });
  return view(
    'satisfaction/answer',
    {
      number,
      title,
      comment,
      errors,
      action: `/p/satisfaction/answer/${link}`,
      choices: ratings.map((value) => ({
        value,
        ...faces[value],
        key: `satisfaction:rating.${String(value)}`,
        isChosen: value === chosen,
      })),
    },
    { headers },
  );
}

/** Whoever follows an old link is told so in the same hand, and is no error of ours. */
async function orSayWhy(work: () => Promise<Reply>): Promise<Reply> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof KnownError) || !['not-found', 'gone'].includes(error.kind)) throw error;
    const status = error instanceof GoneError ? 410 : 404;
    return view('satisfaction/over', { key: `satisfaction:errors.${error.code}` }, { status, headers });
  }
}

const typedIn = (body: unknown): { comment: string } =>
  z
    .object({ comment: z.string().catch('') })
    .catch({ comment: '' })
    .parse(body);
