import { json, route, z, type ApiFacts, type Route } from 'latchkey/plugin-api';
import { isRating, ratings, type Answered } from './survey.ts';
import type { ResultsService } from './results-service.ts';

const access = { right: 'satisfaction.read' } as const;
const rating = z.coerce.number().refine(isRating);

const answerSchema = z.object({
  id: z.string(),
  ticket: z.object({ id: z.string(), number: z.number(), title: z.string(), entityId: z.string() }),
  requesterId: z.string(),
  rating: z.number(),
  comment: z.string(),
  answeredAt: z.string(),
});
const listSchema = z.object({
  items: z.array(answerSchema),
  page: z.number(),
  perPage: z.number(),
  total: z.number(),
});
const summarySchema = z.object({
  days: z.number(),
  asked: z.number(),
  answers: z.number(),
  average: z.number().nullable(),
  distribution: z.array(z.object({ rating: z.number(), answers: z.number() })),
});

const facts = (summary: string, schema: z.ZodType): ApiFacts => ({
  summary,
  tag: 'Satisfaction',
  scope: 'satisfaction:read',
  responses: { 200: { description: summary, schema } },
});

/** `/api/p/satisfaction`. */
export const satisfactionApi = (results: ResultsService): Route[] => [
  route({
    method: 'get',
    path: '/api/p/satisfaction/answers',
    access,
    query: z.object({
      rating: rating.optional(),
      page: z.coerce.number().int().min(1).max(10_000).default(1),
      perPage: z.coerce.number().int().min(1).max(100).default(25),
    }),
    api: facts('Answers, the newest first', listSchema),
    handler: async ({ actor, query }) => {
      const found = await results.answers(actor, query.rating ?? null, query);
      return json({ ...found, items: found.items.map(answerJson) });
    },
  }),
  route({
    method: 'get',
    path: '/api/p/satisfaction/summary',
    access,
    query: z.object({ days: z.coerce.number().int().min(1).max(366).default(30) }),
    api: facts('How many were asked, and what they said', summarySchema),
    handler: async ({ actor, query }) => {
      const { distribution, ...summary } = await results.summary(actor, query.days);
      return json({
        ...summary,
        distribution: ratings.map((one) => ({ rating: one, answers: distribution[one] })),
      });
    },
  }),
];

const answerJson = (answer: Answered): object => ({
  id: answer.id,
  ticket: {
    id: answer.ticketId,
    number: answer.ticketNumber,
    title: answer.ticketTitle,
    entityId: answer.entityId,
  },
  requesterId: answer.requesterId,
  rating: answer.rating,
  comment: answer.comment,
  answeredAt: new Date(answer.answeredAt).toISOString(),
});
