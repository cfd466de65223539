import type { Readable } from 'node:stream';
import type { Database, Tx } from '../db/database.ts';
import type { Hooks } from '../hooks/hooks.ts';
import type { UploadedFile } from '../http/route.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { ForbiddenError, NotFoundError, TooManyError } from '../shared/errors.ts';
import { newId } from '../shared/ids.ts';
import {
  countDrafts,
  deleteDraft,
  findAttachment,
  insertAttachment,
  listDrafts,
  listStaleDrafts,
} from './attachment-repository.ts';
import type { AttachmentStorage } from './attachment-storage.ts';
import { attachmentDraft, attachmentMayKeep, attachmentMayOpen } from './desk-hooks.ts';
import { nameOrFallback, type Attachment } from './attachment.ts';
import { imageSizeOf } from './image-size.ts';
import { assertMaySee, mayReadEntry } from './ticket-policy.ts';
import { findTicketById } from './ticket-repository.ts';
import { findEntry } from './timeline-repository.ts';

interface Deps {
  db: Database;
  hooks: Hooks;
  clock: Clock;
  storage: AttachmentStorage;
}

type StoredFile = Pick<Attachment, 'name' | 'mediaType' | 'size' | 'width' | 'height' | 'storageKey'>;

const MOST_DRAFTS = 50;
const MOST_DRAFT_BYTES = 500 * 1024 * 1024;
const DRAFT_LIFE_MS = 86_400_000;
const BATCH = 200;

/** Files that people add to what they say. */
export class AttachmentService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Takes received files into keeping, for the uploader to send with a ticket or a reply within a day. */
  async keep(actor: Actor, files: readonly Omit<UploadedFile, 'read'>[]): Promise<Attachment[]> {
    if (files.length === 0) return [];
    if (actor.userId === null) throw new ForbiddenError('attachment.needs-account');
    const held = await countDrafts(this.#deps.db, actor.userId);
    const isTooMuch = held.files + files.length > MOST_DRAFTS || held.bytes > MOST_DRAFT_BYTES;
    if (isTooMuch) throw new TooManyError('attachment.too-many-unsent', { retryAfter: 3_600 });
    const kept: Attachment[] = [];
    for (const file of files) kept.push(await this.#keepOne(actor.userId, file));
    return kept;
  }

  async #keepOne(uploaderId: string, file: Omit<UploadedFile, 'read'>): Promise<Attachment> {
    const { db, clock } = this.#deps;
    const attachment: Attachment = {
      id: newId(),
      ticketId: null,
      entryId: null,
      uploaderId,
      ...(await this.store(uploaderId, file)),
      createdAt: clock.now(),
    };
    await db.transaction((tx) => insertAttachment(tx, attachment));
    return attachment;
  }

  /** Judges a file and moves it in, for a row of the caller's. */
  async store(uploaderId: string | null, file: Omit<UploadedFile, 'read'>): Promise<StoredFile> {
    const { hooks, storage } = this.#deps;
    const { path, mediaType, size } = file;
    const about = { uploaderId, mediaType, size };
    const { name } = await hooks.filter(attachmentDraft, { name: nameOrFallback(file.name, 'file') }, about);
    await hooks.veto(attachmentMayKeep, { ...about, name, path });
    const pixels = await imageSizeOf(path, mediaType);
    return {
      name: nameOrFallback(name, 'file'),
      mediaType,
      size,
      width: pixels?.width ?? null,
      height: pixels?.height ?? null,
      storageKey: await storage.keep(path),
    };
  }

  /** What `store` has moved in. */
  stored(storageKey: string): Promise<Readable> {
    return this.#deps.storage.read(storageKey);
  }

  /** Of these ids, the actor's own that are not sent yet: to show them again in a form that was refused. */
  async drafts(actor: Actor, ids: readonly string[]): Promise<Attachment[]> {
    return actor.userId === null ? [] : listDrafts(this.#deps.db, actor.userId, ids);
  }

  /** Takes the actor's own drafts off the shelf, for rows of the caller's; those that were sent meanwhile are left out. */
  async handOver(tx: Tx, actor: Actor, ids: readonly string[]): Promise<StoredFile[]> {
    const handed: StoredFile[] = [];
    const drafts = actor.userId === null ? [] : await listDrafts(tx, actor.userId, ids);
    for (const draft of drafts) if (await deleteDraft(tx, draft.id)) handed.push(draft);
    return handed;
  }

  /** Decides who may before anything is read; what one may not see does not exist. */
  async open(actor: Actor, id: string): Promise<{ attachment: Attachment; content: Readable }> {
    const attachment = await this.#find(actor, id);
    await this.#deps.hooks.veto(attachmentMayOpen, { actorId: actor.userId, attachment });
    return { attachment, content: await this.#deps.storage.read(attachment.storageKey) };
  }

  async #find(actor: Actor, id: string): Promise<Attachment> {
    const { db } = this.#deps;
    const attachment = await findAttachment(db, id);
    if (!attachment) throw new NotFoundError('attachment.unknown');
    if (attachment.ticketId === null) return ownDraft(actor, attachment);
    const ticket = await findTicketById(db, attachment.ticketId);
    assertMaySee(actor, ticket);
    const entry = attachment.entryId === null ? null : await findEntry(db, attachment.entryId);
    if (entry && !mayReadEntry(actor, ticket, entry)) throw new NotFoundError('attachment.unknown');
    return attachment;
  }

  /** Files that were uploaded and never sent. Returns how many went. */
  async sweepDrafts(): Promise<number> {
    const { db, clock, storage } = this.#deps;
    const stale = await listStaleDrafts(db, { before: clock.now() - DRAFT_LIFE_MS, limit: BATCH });
    let swept = 0;
    for (const { id, storageKey } of stale) {
      const isGone = await db.transaction((tx) => deleteDraft(tx, id));
      if (!isGone) continue;
      await storage.remove(storageKey);
      swept += 1;
    }
    return swept;
  }
}

function ownDraft(actor: Actor, attachment: Attachment): Attachment {
  const isOwn = actor.userId !== null && attachment.uploaderId === actor.userId;
  if (!isOwn) throw new NotFoundError('attachment.unknown');
  return attachment;
}
