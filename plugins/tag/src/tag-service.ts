import {
  ConflictError,
  ForbiddenError,
  InvalidInputError,
  newId,
  NotFoundError,
  type Actor,
  type Host,
} from 'latchkey/plugin-api';
import { slugOf, type Tag, type Tone } from './tag.ts';
import { countTickets, deleteTag, insertTag, listTags, setTags, tagsOf } from './tag-repository.ts';

interface TaggedTicket {
  number: number;
  tags: Tag[];
  mayChange: boolean;
}

/** Who manages them makes and removes tags; who may change a ticket puts them on it. */
export class TagService {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  list(): Promise<Tag[]> {
    return listTags(this.#host.db);
  }

  async counted(actor: Actor): Promise<(Tag & { tickets: number })[]> {
    assertMayManage(actor);
    const [tags, counts] = await Promise.all([this.list(), countTickets(this.#host.db)]);
    return tags.map((tag) => ({ ...tag, tickets: counts.get(tag.id) ?? 0 }));
  }

  async add(actor: Actor, draft: { name: string; tone: Tone }): Promise<Tag> {
    assertMayManage(actor);
    const slug = slugOf(draft.name);
    if (slug === '')
      throw new InvalidInputError('tag.no-letters', { fields: [{ field: 'name', code: 'tag.no-letters' }] });
    const tag = { ...draft, id: newId(), slug, createdAt: this.#host.clock.now() };
    await this.#host.transaction(async (tx) => {
      if (!(await insertTag(tx, tag)))
        throw new ConflictError('tag.taken', { fields: [{ field: 'name', code: 'tag.taken' }] });
      await this.#host.audit.record(tx, actor, {
        action: 'tag.added',
        subject: subjectOf(tag),
        after: draft,
      });
    });
    return tag;
  }

  async remove(actor: Actor, id: string): Promise<void> {
    assertMayManage(actor);
    await this.#host.transaction(async (tx) => {
      const tag = await deleteTag(tx, id);
      if (!tag) throw new NotFoundError('tag.not-found');
      await this.#host.audit.record(tx, actor, { action: 'tag.removed', subject: subjectOf(tag) });
    });
  }

  /** A ticket one may not see has no tags either: `find` says that there is none. */
  async of(actor: Actor, number: number): Promise<TaggedTicket> {
    const ticket = await this.#host.tickets.find(actor, number);
    return {
      number,
      tags: await tagsOf(this.#host.db, ticket.id),
      mayChange: actor.can('ticket.update', ticket.entityId),
    };
  }

  async set(actor: Actor, number: number, ids: readonly string[]): Promise<void> {
    const ticket = await this.#host.tickets.find(actor, number);
    if (!actor.can('ticket.update', ticket.entityId)) throw new ForbiddenError('tag.not-yours');
    await this.#host.transaction((tx) => setTags(tx, ticket.id, ids));
  }
}

function assertMayManage(actor: Actor): void {
  if (!actor.can('tag.manage')) throw new ForbiddenError('tag.not-manager');
}

const subjectOf = ({ id, name }: Tag): { type: string; id: string; label: string } => ({
  type: 'tag',
  id,
  label: name,
});
