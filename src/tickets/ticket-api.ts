import type { z } from 'zod';
import { file, json } from '../http/reply.ts';
import { route, type ApiFacts, type Route } from '../http/route.ts';
import { InvalidInputError } from '../shared/errors.ts';
import { isShownInline } from './attachment.ts';
import {
  attachmentJson,
  categoryJson,
  entriesJson,
  summaryJson,
  ticketJson,
} from './ticket-api-presenter.ts';
import {
  attachmentsSchema,
  categoriesSchema,
  categoryBody,
  categoryPatch,
  categorySchema,
  createBody,
  followUpBody,
  listQuery,
  patchBody,
  solutionBody,
  ticketPageSchema,
  ticketSchema,
  timelineSchema,
  verdictBody,
} from './ticket-api-schemas.ts';
import { filterQuery } from './ticket-filter.ts';
import { idParam, ticketNumber } from './ticket-forms.ts';
import type { TicketServices } from './ticket-services.ts';
import type { Editable } from './ticket.ts';

const tag = 'Tickets';
const access = 'signed-in' as const;
const reading = { tag, scope: 'tickets:read' };
const writing = { tag, scope: 'tickets:write' };

const answers = (status: number, description: string, schema?: z.ZodType): ApiFacts['responses'] => ({
  [status]: schema ? { description, schema } : { description },
});

/** `/api/v1/tickets` and what belongs to it. */
export function ticketApi(services: TicketServices): Route[] {
  return [
    ...ticketCalls(services),
    ...timelineCalls(services),
    ...attachmentCalls(services),
    ...categoryCalls(services),
  ];
}

function ticketCalls({ tickets, lists }: TicketServices): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/v1/tickets',
      access,
      query: listQuery,
      api: {
        summary: 'List tickets',
        ...reading,
        responses: answers(200, 'A page of tickets', ticketPageSchema),
      },
      handler: async ({ actor, query: { page, perPage, ...wanted } }) => {
        const found = await lists.list(actor, filterQuery.parse(wanted), { page, perPage });
        return json({ ...found, items: found.items.map((ticket) => summaryJson(actor, ticket)) });
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/tickets',
      access,
      body: createBody,
      api: { summary: 'Open a ticket', ...writing, responses: answers(201, 'The ticket', ticketSchema) },
      handler: async ({ actor, body: { entityId, requesterId, ...draft } }) => {
        const ticket = await tickets.create(actor, {
          ...draft,
          ...(entityId === undefined ? {} : { entityId }),
          ...(requesterId === undefined ? {} : { requesterId }),
        });
        const headers = { Location: `/api/v1/tickets/${String(ticket.number)}` };
        return json(ticketJson(actor, ticket), { status: 201, headers });
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/tickets/:number',
      access,
      params: ticketNumber,
      api: { summary: 'Show a ticket', ...reading, responses: answers(200, 'The ticket', ticketSchema) },
      handler: async ({ actor, params }) => json(ticketJson(actor, await tickets.find(actor, params.number))),
    }),
    route({
      method: 'patch',
      path: '/api/v1/tickets/:number',
      access,
      params: ticketNumber,
      body: patchBody,
      api: {
        summary: 'Change a ticket',
        description: 'Only the fields that are sent are changed.',
        ...writing,
        responses: answers(200, 'The ticket as it is now', ticketSchema),
      },
      handler: async ({ actor, params, body: { version, ...fields } }) => {
        const change: Partial<Editable> = withoutUndefined(fields);
        return json(ticketJson(actor, await tickets.update(actor, params.number, { version, change })));
      },
    }),
  ];
}

/** `exactOptionalPropertyTypes`: what was not sent is not there, rather than there and undefined. */
const withoutUndefined = <T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };

function timelineCalls({ followUps, solutions }: TicketServices): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/v1/tickets/:number/timeline',
      access,
      params: ticketNumber,
      api: {
        summary: 'Everything that happened on a ticket, oldest first',
        ...reading,
        responses: answers(200, 'The timeline', timelineSchema),
      },
      handler: async ({ actor, params }) =>
        json({ items: entriesJson(actor, await followUps.whole(actor, params.number)) }),
    }),
    route({
      method: 'post',
      path: '/api/v1/tickets/:number/follow-ups',
      access,
      params: ticketNumber,
      body: followUpBody,
      api: {
        summary: 'Reply, or leave a private note',
        description: 'A reply of the requester to a closed ticket opens another one, which is returned.',
        ...writing,
        responses: answers(201, 'The ticket as it is now', ticketSchema),
      },
      handler: async ({ actor, params, body: { status, ...draft } }) => {
        const { ticket } = await followUps.add(actor, params.number, { ...draft, then: status });
        return json(ticketJson(actor, ticket), { status: 201 });
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/tickets/:number/solutions',
      access,
      params: ticketNumber,
      body: solutionBody,
      api: {
        summary: 'Propose a solution',
        ...writing,
        responses: answers(201, 'The solved ticket', ticketSchema),
      },
      handler: async ({ actor, params, body }) =>
        json(ticketJson(actor, await solutions.propose(actor, params.number, body)), { status: 201 }),
    }),
    route({
      method: 'post',
      path: '/api/v1/tickets/:number/solutions/verdict',
      access,
      params: ticketNumber,
      body: verdictBody,
      api: {
        summary: 'Accept the solution, or say why it is none',
        description: 'For the requester. Accepted, the ticket is closed; refused, it is open again.',
        ...writing,
        responses: answers(200, 'The ticket as it is now', ticketSchema),
      },
      handler: async ({ actor, params, body: { verdict, reason = '' } }) => {
        if (verdict === 'accepted')
          return json(ticketJson(actor, await solutions.accept(actor, params.number)));
        if (reason === '') {
          throw new InvalidInputError('ticket.reason-needed', {
            fields: [{ field: 'reason', code: 'ticket.reason-needed' }],
          });
        }
        return json(ticketJson(actor, await solutions.refuse(actor, params.number, { reason })));
      },
    }),
  ];
}

function attachmentCalls({ attachments, followUps }: TicketServices): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/v1/tickets/:number/attachments',
      access,
      params: ticketNumber,
      api: {
        summary: 'List the files of a ticket',
        ...reading,
        responses: answers(200, 'The files', attachmentsSchema),
      },
      handler: async ({ actor, params }) => {
        const { attachments: found } = await followUps.conversation(actor, params.number);
        return json({ items: found.map(attachmentJson) });
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/attachments',
      access,
      uploads: true,
      api: {
        summary: 'Upload files',
        description:
          '`multipart/form-data`. Send the ids with a ticket, a reply or a solution within a day; what is not sent is deleted.',
        ...writing,
        responses: answers(201, 'The files', attachmentsSchema),
      },
      handler: async ({ actor, files }) => {
        const kept = await attachments.keep(actor, files);
        return json({ items: kept.map(attachmentJson) }, { status: 201 });
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/attachments/:id',
      access,
      params: idParam,
      api: { summary: 'Download a file', ...reading, responses: answers(200, 'Its bytes') },
      handler: async ({ actor, params }) => {
        const { attachment, content } = await attachments.open(actor, params.id);
        const mediaType = isShownInline(attachment) ? attachment.mediaType : 'application/octet-stream';
        return file(content, { name: attachment.name, size: attachment.size, mediaType });
      },
    }),
  ];
}

function categoryCalls({ categories }: TicketServices): Route[] {
  const manage = { right: 'category.manage' };
  return [
    route({
      method: 'get',
      path: '/api/v1/categories',
      access,
      api: {
        summary: 'List categories',
        ...reading,
        responses: answers(200, 'Categories', categoriesSchema),
      },
      handler: async ({ actor }) => json({ items: (await categories.listFor(actor)).map(categoryJson) }),
    }),
    route({
      method: 'post',
      path: '/api/v1/categories',
      access: manage,
      body: categoryBody,
      api: { summary: 'Add a category', ...writing, responses: answers(201, 'The category', categorySchema) },
      handler: async ({ actor, body }) =>
        json(categoryJson(await categories.create(actor, body)), { status: 201 }),
    }),
    route({
      method: 'patch',
      path: '/api/v1/categories/:id',
      access: manage,
      params: idParam,
      body: categoryPatch,
      api: {
        summary: 'Rename a category, or take it out of use',
        ...writing,
        responses: answers(200, 'The category', categorySchema),
      },
      handler: async ({ actor, params, body }) =>
        json(categoryJson(await categories.update(actor, params.id, body))),
    }),
  ];
}
