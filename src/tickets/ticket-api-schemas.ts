import { z } from 'zod';
import { isId } from '../shared/ids.ts';
import { sorts } from './ticket-filter.ts';
import { levels, statuses, ticketTypes } from './ticket.ts';
import { visibilities } from './timeline.ts';

const id = z.string().refine(isId, 'field.invalid');
const idOrNone = z.union([z.literal(''), id]);
const level = z.literal(levels);
const words = z.string().trim().max(20_000, 'field.too-long');
const title = z.string().trim().min(1, 'ticket.title-needed').max(200, 'field.too-long');
const instant = z.iso.datetime();
const orNothing = instant.nullable();
const day = z.iso.date();
const pageNumber = z.coerce.number().int().min(1).max(10_000).default(1);
const perPage = z.coerce.number().int().min(1).max(100).default(25);

const assignees = z.strictObject({ users: z.array(id).max(50), groups: z.array(id).max(50) });

export const ticketSummarySchema = z.object({
  number: z.number(),
  id: z.string(),
  entityId: z.string(),
  type: z.enum(ticketTypes),
  title: z.string(),
  status: z.enum(statuses).meta({ description: 'To requesters, a ticket on hold is open.' }),
  categoryId: z.string().nullable(),
  urgency: level,
  impact: level,
  priority: level.meta({ description: 'Follows from urgency and impact. 5 is very high.' }),
  requesterId: z.string(),
  observers: z.array(z.string()),
  assignees: z.object({ users: z.array(z.string()), groups: z.array(z.string()) }),
  createdAt: instant,
  updatedAt: instant,
  firstReplyAt: orNothing,
  solvedAt: orNothing,
  closedAt: orNothing,
  version: z.number(),
});

export const ticketSchema = ticketSummarySchema.extend({
  description: z.string().meta({ description: 'Markdown.' }),
  followsId: z.string().nullable().meta({ description: 'The closed ticket that this one goes on with.' }),
});

export const ticketPageSchema = z.object({
  items: z.array(ticketSummarySchema),
  page: z.number(),
  perPage: z.number(),
  total: z.number().meta({ description: 'At most 1,001, which means "more than 1,000".' }),
});

export const attachmentSchema = z.object({
  id: z.string(),
  name: z.string(),
  mediaType: z.string(),
  size: z.number(),
  path: z.string(),
});

export const entrySchema = z.object({
  id: z.string(),
  kind: z
    .enum(['follow-up', 'solution', 'change', 'contributed'])
    .meta({ description: '`contributed`: a line of a plugin.' }),
  plugin: z.string().nullable().meta({ description: 'The plugin that a contributed line comes from.' }),
  title: z.string().meta({ description: 'Of a contributed line, in the language of the caller.' }),
  visibility: z.enum(visibilities),
  authorId: z.string().nullable(),
  authorName: z.string(),
  body: z.string().meta({ description: 'Markdown.' }),
  state: z.enum(['proposed', 'accepted', 'refused']).nullable(),
  changes: z.array(z.object({ field: z.string(), from: z.unknown(), to: z.unknown() })),
  attachments: z.array(attachmentSchema),
  writtenAt: instant,
});

export const timelineSchema = z.object({ items: z.array(entrySchema) });
export const attachmentsSchema = z.object({ items: z.array(attachmentSchema) });

export const categorySchema = z.object({
  id: z.string(),
  entityId: z.string(),
  name: z.string(),
  archived: z.boolean(),
  version: z.number(),
});
export const categoriesSchema = z.object({ items: z.array(categorySchema) });

export const listQuery = z.object({
  page: pageNumber,
  perPage,
  q: z.string().trim().max(200).default(''),
  status: z.enum(['active', 'all', ...statuses]).default('all'),
  assignee: z
    .union([z.enum(['', 'me', 'nobody', 'my-groups']), id])
    .default('')
    .meta({ description: '`me`, `nobody`, `my-groups`, or an id.' }),
  category: idOrNone.default(''),
  entity: idOrNone.default(''),
  priority: z.coerce.number().pipe(level).optional(),
  requester: idOrNone.default(''),
  from: day.optional().meta({ description: 'Created on this day or later (UTC).' }),
  to: day.optional(),
  sort: z.templateLiteral([z.enum(['', '-']), z.enum(sorts)]).default('-updated'),
});

export const createBody = z.strictObject({
  title,
  description: words.default(''),
  type: z.enum(ticketTypes).default('request'),
  entityId: id.optional(),
  categoryId: id.nullable().default(null),
  urgency: level.default(3),
  impact: level.default(3),
  requesterId: id.optional(),
  observers: z.array(id).max(50).default([]),
  assignees: assignees.default({ users: [], groups: [] }),
  attachments: z.array(id).max(20).default([]).meta({ description: 'Ids of uploaded files.' }),
});

export const patchBody = z.strictObject({
  version: z.number().int().min(1).meta({ description: 'As it was read; an older one is refused with 409.' }),
  title: title.optional(),
  description: words.optional(),
  type: z.enum(ticketTypes).optional(),
  status: z.enum(statuses).optional(),
  categoryId: id.nullable().optional(),
  urgency: level.optional(),
  impact: level.optional(),
  requesterId: id.optional(),
  observers: z.array(id).max(50).optional(),
  assignees: assignees.optional(),
});

export const followUpBody = z.strictObject({
  body: words.min(1, 'ticket.words-needed'),
  visibility: z.enum(visibilities).default('public'),
  status: z.enum(['open', 'pending', 'on-hold']).optional(),
  version: z.number().int().min(1).optional(),
  attachments: z.array(id).max(20).default([]),
});

export const solutionBody = z.strictObject({
  body: words.min(1, 'ticket.words-needed'),
  version: z.number().int().min(1).optional(),
  attachments: z.array(id).max(20).default([]),
});

export const verdictBody = z.strictObject({
  verdict: z.enum(['accepted', 'refused']),
  reason: words.optional(),
});

export const categoryBody = z.strictObject({
  entityId: id,
  name: z.string().trim().min(1, 'category.name-needed').max(120, 'field.too-long'),
});

export const categoryPatch = z.strictObject({
  version: z.number().int().min(1),
  name: z.string().trim().min(1, 'category.name-needed').max(120, 'field.too-long').optional(),
  archived: z.boolean().optional(),
});
