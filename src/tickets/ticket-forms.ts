import { z } from 'zod';
import { isId } from '../shared/ids.ts';
import { levels, statuses, ticketTypes } from './ticket.ts';
import { visibilities } from './timeline.ts';

/** A form sends one value as itself and several as a list. */
const listOf = <T>(one: z.ZodType<T>): z.ZodType<T[]> =>
  z.preprocess(
    (value): unknown[] => (value === undefined || value === '' ? [] : [value].flat()),
    z.array(one).max(100),
  );

const id = z.string().refine(isId, 'field.invalid');
const idOrNone = z.union([z.literal(''), id]);
const ids = listOf(id);
const orNull = idOrNone.transform((value) => (value === '' ? null : value));
const level = z.coerce.number().pipe(z.literal(levels));
const version = z.coerce.number().int().min(1);
const words = z.string().trim().max(20_000, 'field.too-long');

export const LONGEST_TITLE = 200;

/** What is no number at all is no ticket either: 404. */
export const ticketNumber = z.object({
  number: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).catch(0),
});
export const idParam = z.object({ id: z.string().refine(isId).catch('') });

export const newTicketForm = z.object({
  title: z.string().trim().min(1, 'ticket.title-needed').max(LONGEST_TITLE, 'field.too-long'),
  description: words.default(''),
  type: z.enum(ticketTypes).default('request'),
  entityId: idOrNone.optional().transform((value) => (value === '' ? undefined : value)),
  categoryId: orNull.default(null),
  urgency: level.default(3),
  impact: level.default(3),
  requesterEmail: z.string().trim().max(320).default(''),
  /** The person has no account, and the ticket waits for them. */
  noAccount: z.string().optional(),
  attachments: ids,
});

export const replyForm = z.object({
  body: words.min(1, 'ticket.words-needed'),
  visibility: z.enum(visibilities).default('public'),
  then: z
    .enum(['', ...statuses])
    .default('')
    .transform((status) => (status === '' ? undefined : status)),
  version: version.optional(),
  attachments: ids,
});

export const solutionForm = z.object({
  body: words.min(1, 'ticket.words-needed'),
  version: version.optional(),
  attachments: ids,
});

export const reasonForm = z.object({
  reason: words.min(1, 'ticket.reason-needed'),
  attachments: ids,
});

export const factsForm = z.object({
  version,
  type: z.enum(ticketTypes),
  title: z.string().trim().min(1, 'ticket.title-needed').max(LONGEST_TITLE, 'field.too-long'),
  status: z.enum(statuses),
  categoryId: orNull,
  urgency: level,
  impact: level,
  assignedUsers: ids,
  assignedGroups: ids,
  observers: ids,
  /** More of them, by address. */
  observerEmails: z.string().trim().max(2_000).default(''),
});

export const versionForm = z.object({ version });

export const bulkForm = z.object({
  numbers: listOf(z.coerce.number().int().min(1)),
  status: z.enum(['', ...statuses]).default(''),
  /** `user:<id>` or `group:<id>`. */
  assignee: z
    .string()
    .refine(
      (text) => text === '' || (/^(user|group):/.test(text) && isId(text.replace(/^\w+:/, ''))),
      'field.invalid',
    )
    .default(''),
  urgency: z.union([z.literal('').transform(() => null), level]).default(null),
  categoryId: idOrNone.default(''),
  back: z.string().max(2_000).default(''),
});

export const viewForm = z.object({
  name: z.string().trim().min(1, 'ticket.view-name-needed').max(80, 'field.too-long'),
  filters: z.string().max(2_000).default(''),
  sharedIn: idOrNone.default(''),
});

export const categoryForm = z.object({
  name: z.string().trim().min(1, 'category.name-needed').max(120, 'field.too-long'),
  entityId: id,
});

export const categoryEditForm = z.object({
  version,
  name: z.string().trim().min(1, 'category.name-needed').max(120, 'field.too-long').optional(),
  archived: z
    .enum(['true', 'false'])
    .optional()
    .transform((value) => (value === undefined ? undefined : value === 'true')),
});

/** What was typed, for a form that is shown again: texts as they came, whatever they are. */
export function typedFrom(body: unknown): Record<string, string | string[]> {
  const fields = typeof body === 'object' && body !== null ? Object.entries(body) : [];
  return Object.fromEntries(fields.filter((pair): pair is [string, string | string[]] => isTyped(pair[1])));
}

const isTyped = (value: unknown): boolean =>
  typeof value === 'string' || (Array.isArray(value) && value.every((one) => typeof one === 'string'));

export const typedList = (value: string | string[] | undefined): string[] =>
  value === undefined || value === '' ? [] : [value].flat();

export const typedText = (value: string | string[] | undefined): string =>
  typeof value === 'string' ? value : '';
