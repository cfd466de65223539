import { view, type Reply } from '../http/reply.ts';
import type { Actor } from '../shared/actor.ts';
import { ForbiddenError, type KnownError } from '../shared/errors.ts';
import { LONGEST_TITLE, typedFrom, typedList, typedText } from './ticket-forms.ts';
import { categoryChoices, levelChoices } from './ticket-page.ts';
import { presentAttachment } from './attachment-presenter.ts';
import type { TicketServices } from './ticket-services.ts';
import { ticketTypes } from './ticket.ts';

interface Asked {
  /** Somebody who has just joined: three examples show what a request looks like. */
  isWelcome?: boolean;
  /** One of the examples, 1 to 3. */
  example?: number | undefined;
  refused?: { body: unknown; error: KnownError };
}

/** `/tickets/new`, empty or as it was refused. */
export async function newTicketPage(services: TicketServices, actor: Actor, asked: Asked): Promise<Reply> {
  const entities = await services.tickets.entitiesFor(actor);
  if (entities.length === 0) throw new ForbiddenError('ticket.may-not-create');
  const typed = asked.refused ? typedFrom(asked.refused.body) : {};
  const entityId = typedText(typed['entityId']) || (entities[0]?.id ?? '');
  const [categories, drafts] = await Promise.all([
    offeredAnywhere(services, entities),
    services.attachments.drafts(actor, typedList(typed['attachments'])),
  ]);
  const error = asked.refused?.error;
  return view('tickets/new', {
    titleKey: asked.isWelcome === true ? 'tickets:new.welcome' : 'tickets:new.title',
    isWelcome: asked.isWelcome === true,
    examples: [1, 2, 3].map((at) => ({
      title: `tickets:example.${String(at)}.title`,
      path: `/tickets/new?welcome=1&example=${String(at)}`,
      chosen: at === asked.example,
    })),
    example: asked.example ?? null,
    longestTitle: LONGEST_TITLE,
    title: typedText(typed['title']),
    description: typedText(typed['description']),
    requesterEmail: typedText(typed['requesterEmail']),
    isUnknown: error?.code === 'ticket.unknown-email',
    noAccount: typedText(typed['noAccount']),
    mayForOthers: actor.can('ticket.create-for-others'),
    mayImpact: actor.can('ticket.update'),
    types: ticketTypes.map((type) => ({
      value: type,
      selected: type === (typedText(typed['type']) || 'request'),
    })),
    entities:
      entities.length > 1
        ? entities.map(({ id, path }) => ({ value: id, label: path, selected: id === entityId }))
        : [],
    categories: categoryChoices(categories, typedText(typed['categoryId'])),
    urgencies: levelChoices(Number(typedText(typed['urgency']) || 3)),
    impacts: levelChoices(Number(typedText(typed['impact']) || 3)),
    drafts: drafts.map(presentAttachment),
    message: error && error.fields.length === 0 ? error.code : null,
    messageParams: error?.params ?? {},
    errors: error?.fields ?? [],
  });
}

/** Where several entities can be chosen, the categories of all of them: without script the list cannot follow the choice. */
async function offeredAnywhere(
  { categories }: TicketServices,
  entities: readonly { id: string }[],
): Promise<Awaited<ReturnType<typeof categories.offeredIn>>> {
  const lists = await Promise.all(entities.slice(0, 50).map(({ id }) => categories.offeredIn(id)));
  const byId = new Map(lists.flat().map((category) => [category.id, category]));
  return [...byId.values()].sort((one, other) => one.name.localeCompare(other.name));
}
