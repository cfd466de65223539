import { z } from 'zod';
import { safePath } from '../http/exchange.ts';
import { redirect, text } from '../http/reply.ts';
import { route, type Incoming, type Route, type UploadedFile } from '../http/route.ts';
import type { Actor } from '../shared/actor.ts';
import { InvalidInputError, NotFoundError, type KnownError } from '../shared/errors.ts';
import type { Translate } from './dashboard-presenter.ts';
import { newTicketPage } from './new-ticket-page.ts';
import type { People } from './people.ts';
import { csvOf } from './ticket-csv.ts';
import { filterQuery, pageQuery } from './ticket-filter.ts';
import {
  bulkForm,
  factsForm,
  idParam,
  newTicketForm,
  reasonForm,
  replyForm,
  solutionForm,
  ticketNumber,
  versionForm,
  viewForm,
} from './ticket-forms.ts';
import { ticketListPage } from './ticket-list-page.ts';
import type { BulkChange } from './ticket-list-service.ts';
import { ticketPage, type RefusedForm } from './ticket-page.ts';
import type { TicketServices } from './ticket-services.ts';

/** All pages about tickets. Paths with words stand before `/tickets/:number`. */
export function ticketRoutes(services: TicketServices, translate: Translate): Route[] {
  return [...listRoutes(services, translate), ...newTicketRoutes(services), ...ticketPageRoutes(services)];
}

function listRoutes(services: TicketServices, translate: Translate): Route[] {
  const { lists, presenter, views } = services;
  return [
    route({
      method: 'get',
      path: '/tickets',
      access: 'signed-in',
      query: z.object({}).loose(),
      handler: ({ actor, query }) =>
        ticketListPage(services, actor, {
          filter: filterQuery.parse(query),
          page: pageQuery.parse(query).page,
        }),
    }),
    route({
      method: 'get',
      path: '/tickets/export.csv',
      access: { right: 'ticket.export' },
      query: filterQuery,
      handler: async ({ actor, query, locale }) => {
        const rows = await presenter.rows(actor, await lists.forExport(actor, query));
        const say = (key: string): string => translate(key, {}, locale);
        const sheet = csvOf(
          csvHead.map(say),
          rows.map((row) => csvRow(row, say)),
        );
        return text(sheet, 'text/csv; charset=utf-8', {
          headers: { 'Content-Disposition': 'attachment; filename="tickets.csv"' },
        });
      },
    }),
    route({
      method: 'post',
      path: '/tickets/bulk',
      access: 'signed-in',
      body: bulkForm,
      handler: async ({ actor, body }) => {
        const { changed, refused } = await lists.change(actor, body.numbers, bulkChangeOf(body));
        const params = { count: changed.length, refused: refused.length };
        const code = refused.length > 0 ? 'tickets:flash.bulk-partly' : 'tickets:flash.bulk';
        const kind = refused.length > 0 ? 'warning' : 'success';
        return redirect(safePath(body.back, '/tickets'), { flash: { kind, code, params } });
      },
    }),
    route({
      method: 'post',
      path: '/tickets/views',
      access: 'signed-in',
      body: viewForm,
      handler: async ({ actor, body: { name, filters, sharedIn } }) => {
        const filter = filterQuery.parse(Object.fromEntries(new URLSearchParams(filters)));
        const view = await views.save(actor, { name, filter, sharedIn: sharedIn === '' ? null : sharedIn });
        return redirect(`/tickets?${view.filters}`, {
          flash: { kind: 'success', code: 'tickets:flash.view-saved' },
        });
      },
    }),
    route({
      method: 'post',
      path: '/tickets/views/:id/delete',
      access: 'signed-in',
      params: idParam,
      handler: async ({ actor, params }) => {
        await views.remove(actor, params.id);
        return redirect('/tickets', { flash: { kind: 'success', code: 'tickets:flash.view-removed' } });
      },
    }),
  ];
}

const csvHead = [
  'number',
  'title',
  'status',
  'priority',
  'type',
  'requesterId',
  'assignees',
  'categoryId',
  'entityId',
  'createdAt',
  'updatedAt',
].map((field) => `tickets:field.${field}`);

type Row = Awaited<ReturnType<TicketServices['presenter']['rows']>>[number];

const csvRow = (row: Row, say: (key: string) => string): (string | number)[] => [
  row.number,
  row.title,
  say(row.status.key),
  say(row.priority.key),
  say(row.typeKey),
  row.requester,
  row.assignees.join('; '),
  row.category,
  row.entity,
  new Date(row.createdAt).toISOString(),
  new Date(row.updatedAt).toISOString(),
];

function bulkChangeOf({ status, assignee, urgency, categoryId }: z.output<typeof bulkForm>): BulkChange {
  const [kind, id = ''] = assignee.split(':');
  return {
    ...(status === '' ? {} : { status }),
    ...(urgency === null ? {} : { urgency }),
    ...(categoryId === '' ? {} : { categoryId }),
    ...(id === ''
      ? {}
      : { assignees: { users: kind === 'user' ? [id] : [], groups: kind === 'group' ? [id] : [] } }),
  };
}

function newTicketRoutes(services: TicketServices): Route[] {
  const { tickets, attachments, people, correspondents } = services;
  return [
    route({
      method: 'get',
      path: '/tickets/new',
      access: { right: 'ticket.create' },
      query: z.object({
        welcome: z.string().optional().catch(undefined),
        example: z.coerce.number().int().min(1).max(3).optional().catch(undefined),
      }),
      handler: ({ actor, query }) =>
        newTicketPage(services, actor, { isWelcome: query.welcome !== undefined, example: query.example }),
    }),
    route({
      method: 'post',
      path: '/tickets',
      access: { right: 'ticket.create' },
      uploads: true,
      body: newTicketForm,
      handler: async ({ actor, body: { requesterEmail, noAccount, ...draft }, files }) => {
        const isStranger =
          noAccount !== undefined &&
          mayKeepAddress(actor) &&
          (await people.findByEmail(requesterEmail)) === null;
        const requesterId = isStranger ? null : await personBy(people, requesterEmail, 'requesterEmail');
        const kept = await attachments.keep(actor, files);
        const ticket = await tickets.create(actor, {
          ...draft,
          ...(requesterId === null ? {} : { requesterId }),
          attachments: [...draft.attachments, ...kept.map(({ id }) => id)],
        });
        if (isStranger) await correspondents.note(actor, ticket.number, requesterEmail);
        const flash = {
          kind: 'success' as const,
          code: 'tickets:flash.created',
          params: { number: ticket.number },
        };
        return redirect(`/tickets/${String(ticket.number)}`, { flash });
      },
      onRefused: async ({ actor, body, files }, error) =>
        newTicketPage(services, actor, {
          refused: { body: await keepingFiles(services, actor, { body, files }), error },
        }),
    }),
  ];
}

/** Whoever helps others may write down a ticket for somebody who has no account yet. */
const mayKeepAddress = (actor: Actor): boolean =>
  actor.can('ticket.create-for-others') && actor.can('ticket.reply');

/** Files that came with a form that was refused are kept as drafts, so that nobody has to choose them again. */
async function keepingFiles(
  { attachments }: TicketServices,
  actor: Actor,
  { body, files }: { body: unknown; files: readonly UploadedFile[] },
): Promise<unknown> {
  const kept = await attachments.keep(actor, files).catch(() => []);
  if (kept.length === 0 || typeof body !== 'object' || body === null) return body;
  const known = 'attachments' in body ? [body.attachments].flat() : [];
  return { ...body, attachments: [...known, ...kept.map(({ id }) => id)] };
}

async function personBy(people: People, email: string, field: string): Promise<string | null> {
  if (email === '') return null;
  const person = await people.findByEmail(email);
  if (person) return person.id;
  throw new InvalidInputError('ticket.unknown-email', {
    params: { email },
    fields: [{ field, code: 'ticket.unknown-email', params: { email } }],
  });
}

function ticketPageRoutes(services: TicketServices): Route[] {
  const { tickets, followUps, solutions, attachments, people } = services;

  const shownAgain =
    (form: RefusedForm['form']) =>
    async ({ actor, params, body, files }: Incoming<{ number: number }>, error: KnownError) => {
      if (error instanceof NotFoundError) throw error;
      const { number } = ticketNumber.parse(params);
      return ticketPage(services, actor, number, {
        form,
        body: await keepingFiles(services, actor, { body, files }),
        error,
      });
    };

  const withFiles = async (
    actor: Actor,
    known: readonly string[],
    files: readonly UploadedFile[],
  ): Promise<string[]> => [...known, ...(await attachments.keep(actor, files)).map(({ id }) => id)];

  return [
    route({
      method: 'get',
      path: '/tickets/:number',
      access: 'signed-in',
      params: ticketNumber,
      mayOpen: (actor, { number }) => tickets.find(actor, number).then(isThere, isHidden),
      handler: ({ actor, params }) => ticketPage(services, actor, params.number),
    }),
    route({
      method: 'post',
      path: '/tickets/:number/follow-ups',
      access: 'signed-in',
      params: ticketNumber,
      uploads: true,
      body: replyForm,
      handler: async ({ actor, params, body, files }) => {
        await tickets.find(actor, params.number);
        const all = await withFiles(actor, body.attachments, files);
        const { ticket, entry } = await followUps.add(actor, params.number, { ...body, attachments: all });
        const flash = { kind: 'success' as const, code: flashFor(entry), params: { number: ticket.number } };
        return redirect(`/tickets/${String(ticket.number)}${entry ? `#follow-up-${entry.id}` : ''}`, {
          flash,
        });
      },
      onRefused: shownAgain('reply'),
    }),
    route({
      method: 'post',
      path: '/tickets/:number/solutions',
      access: 'signed-in',
      params: ticketNumber,
      uploads: true,
      body: solutionForm,
      handler: async ({ actor, params, body, files }) => {
        await tickets.find(actor, params.number);
        const all = await withFiles(actor, body.attachments, files);
        await solutions.propose(actor, params.number, { ...body, attachments: all });
        return redirect(`/tickets/${String(params.number)}`, {
          flash: { kind: 'success', code: 'tickets:flash.solved' },
        });
      },
      onRefused: shownAgain('reply'),
    }),
    route({
      method: 'post',
      path: '/tickets/:number/solution/accept',
      access: 'signed-in',
      params: ticketNumber,
      handler: async ({ actor, params }) => {
        await solutions.accept(actor, params.number);
        return redirect(`/tickets/${String(params.number)}`, {
          flash: { kind: 'success', code: 'tickets:flash.accepted' },
        });
      },
      onRefused: shownAgain('reason'),
    }),
    route({
      method: 'post',
      path: '/tickets/:number/solution/refuse',
      access: 'signed-in',
      params: ticketNumber,
      uploads: true,
      body: reasonForm,
      handler: async ({ actor, params, body, files }) => {
        await tickets.find(actor, params.number);
        const all = await withFiles(actor, body.attachments, files);
        await solutions.refuse(actor, params.number, { ...body, attachments: all });
        return redirect(`/tickets/${String(params.number)}`, {
          flash: { kind: 'success', code: 'tickets:flash.reopened' },
        });
      },
      onRefused: shownAgain('reason'),
    }),
    route({
      method: 'post',
      path: '/tickets/:number/facts',
      access: 'signed-in',
      params: ticketNumber,
      body: factsForm,
      handler: async ({ actor, params, body }) => {
        const { version, assignedUsers, assignedGroups, observers, observerEmails, ...facts } = body;
        const ticket = await tickets.find(actor, params.number);
        const added = await peopleBy(people, observerEmails);
        const mayAssign = actor.can('ticket.assign', ticket.entityId);
        await tickets.update(actor, params.number, {
          version,
          change: {
            ...facts,
            observers: [...observers, ...added],
            ...(mayAssign ? { assignees: { users: assignedUsers, groups: assignedGroups } } : {}),
          },
        });
        return redirect(`/tickets/${String(params.number)}`, {
          flash: { kind: 'success', code: 'tickets:flash.saved' },
        });
      },
      onRefused: shownAgain('facts'),
    }),
    route({
      method: 'post',
      path: '/tickets/:number/take',
      access: 'signed-in',
      params: ticketNumber,
      body: versionForm,
      handler: async ({ actor, params, body: { version } }) => {
        const { assignees } = await tickets.find(actor, params.number);
        const users = [...assignees.users, ...(actor.userId === null ? [] : [actor.userId])];
        await tickets.update(actor, params.number, {
          version,
          change: { assignees: { ...assignees, users } },
        });
        return redirect(`/tickets/${String(params.number)}`, {
          flash: { kind: 'success', code: 'tickets:flash.taken' },
        });
      },
      onRefused: shownAgain('facts'),
    }),
  ];
}

function flashFor(entry: { visibility: string } | null): string {
  if (!entry) return 'tickets:flash.continued';
  return entry.visibility === 'private' ? 'tickets:flash.noted' : 'tickets:flash.replied';
}

async function peopleBy(people: People, emails: string): Promise<string[]> {
  const wanted = emails.split(/[\s,;]+/).filter((email) => email !== '');
  const found = await Promise.all(
    wanted.slice(0, 20).map((email) => personBy(people, email, 'observerEmails')),
  );
  return found.flatMap((id) => id ?? []);
}

const isThere = (): boolean => true;
function isHidden(error: unknown): boolean {
  if (error instanceof NotFoundError) return false;
  throw error;
}
