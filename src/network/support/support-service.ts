import type { Readable } from 'node:stream';
import type { AuditService } from '../../audit/index.ts';
import type { Database, Tx } from '../../db/database.ts';
import type { UploadedFile } from '../../http/route.ts';
import type { NotificationService } from '../../notifications/index.ts';
import type { Actor } from '../../shared/actor.ts';
import type { Clock } from '../../shared/clock.ts';
import { ConflictError, ForbiddenError, InvalidInputError, NotFoundError } from '../../shared/errors.ts';
import { newId } from '../../shared/ids.ts';
import type { NetworkService } from '../network-service.ts';
import { diagnosticsOf, type House } from './diagnostics.ts';
import {
  changeRequest,
  findFile,
  findRequest,
  hurryMessages,
  insertFile,
  insertMessage,
  insertRequest,
  listFiles,
  listMessages,
  listRequests,
  listRequestsOf,
  renameAuthor,
} from './support-repository.ts';
import {
  MOST_BYTES,
  MOST_FILES,
  supportRefusal,
  type MessageKind,
  type SupportFile,
  type SupportFiles,
  type SupportMessage,
  type SupportRefusal,
  type SupportRequest,
} from './support.ts';

interface Deps {
  db: Database;
  clock: Clock;
  audit: Pick<AuditService, 'record'>;
  network: Pick<NetworkService, 'standing'>;
  courier: { soon(): void };
  files: SupportFiles;
  notices: Pick<NotificationService, 'markSeen' | 'unread'>;
  house: () => Promise<Omit<House, 'network'>>;
}

export interface SupportDraft {
  title: string;
  body: string;
  plugin: string | null;
  ticket: number | null;
  /** Empty when the person has left it out. */
  diagnostics: string;
}

/** A request and all that was said on it. */
export interface SupportThread {
  request: SupportRequest;
  messages: (SupportMessage & { files: SupportFile[] })[];
  /** It was given to the hub that is set now. */
  isHere: boolean;
}

type Upload = Omit<UploadedFile, 'read'>;

/** Files that came with a form, and those that an earlier try of it has left here. */
interface Enclosed {
  uploads: readonly Upload[];
  drafts: readonly string[];
}

/** Asking the vendor. What is written here is kept first and carried afterwards, so that nobody waits and nothing is lost. */
export class SupportService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async list(
    actor: Actor,
  ): Promise<{ requests: SupportRequest[]; refusal: SupportRefusal | null; hub: string }> {
    assertMay(actor);
    const standing = await this.#deps.network.standing();
    return {
      requests: await listRequests(this.#deps.db),
      refusal: supportRefusal(standing),
      hub: standing.hub.url,
    };
  }

  /** What was asked about a ticket of this house, and whether more may be. Null where there is nothing to show. */
  async about(actor: Actor, ticket: number): Promise<{ requests: SupportRequest[]; mayAsk: boolean } | null> {
    if (!actor.can('network.support')) return null;
    const { db, network } = this.#deps;
    const requests = await listRequestsOf(db, ticket);
    const mayAsk = supportRefusal(await network.standing()) === null;
    return mayAsk || requests.length > 0 ? { requests, mayAsk } : null;
  }

  /** What would be sent about this installation, to be read before it is. */
  async diagnostics(actor: Actor): Promise<string> {
    assertMay(actor);
    const { house, network } = this.#deps;
    return diagnosticsOf({ ...(await house()), network: await network.standing() });
  }

  /** Reading it is having heard of it. */
  async read(actor: Actor, id: string): Promise<SupportThread> {
    const thread = await this.thread(actor, id);
    const { db, notices } = this.#deps;
    const { userId } = actor;
    if (userId !== null && (await notices.unread(actor)) > 0)
      await db.transaction((tx) => notices.markSeen(tx, userId, { type: 'support', id }));
    return thread;
  }

  async thread(actor: Actor, id: string): Promise<SupportThread> {
    const request = await this.#find(actor, id);
    const { db, network } = this.#deps;
    const messages = await listMessages(db, id);
    const files = await listFiles(
      db,
      messages.map((message) => message.id),
    );
    return {
      request,
      isHere: (await network.standing()).hub.url === request.hub,
      messages: messages.map((message) => ({
        ...message,
        files: files.filter(({ messageId }) => messageId === message.id),
      })),
    };
  }

  async open(actor: Actor, draft: SupportDraft, enclosed: Enclosed = none): Promise<SupportRequest> {
    assertMay(actor);
    const { db, clock, network, audit } = this.#deps;
    const standing = await network.standing();
    const refusal = supportRefusal(standing);
    if (refusal !== null) throw new ConflictError(`support.${refusal}`);
    const now = clock.now();
    const { body, ...rest } = draft;
    const request: SupportRequest = {
      ...rest,
      id: newId(),
      hub: standing.hub.url,
      openedBy: actor.userId,
      openedByName: actor.name,
      openedAt: now,
      reference: null,
      status: 'waiting',
      version: 0,
      isLost: false,
      updatedAt: now,
      lookAt: now,
    };
    const kept = await this.#keep(actor, enclosed);
    await db.transaction(async (tx) => {
      await insertRequest(tx, request);
      await this.#write(tx, actor, {
        requestId: request.id,
        kind: 'open',
        body,
        kept,
        drafts: enclosed.drafts,
      });
      await audit.record(tx, actor, {
        action: 'support.opened',
        subject: { type: 'support', id: request.id, label: request.title },
        after: { hub: request.hub, plugin: request.plugin, withDiagnostics: request.diagnostics !== '' },
      });
    });
    this.#deps.courier.soon();
    return request;
  }

  async reply(actor: Actor, id: string, body: string, enclosed: Enclosed = none): Promise<void> {
    await this.#find(actor, id);
    const kept = await this.#keep(actor, enclosed);
    await this.#say(actor, { requestId: id, kind: 'reply', body, kept, drafts: enclosed.drafts });
  }

  /** Files of a form that was refused for something else: nobody has to choose them again. */
  async keepFiles(actor: Actor, { uploads, drafts }: Enclosed): Promise<string[]> {
    assertMay(actor);
    const { files } = this.#deps;
    const isTooMuch = await this.#assertSmall(actor, { uploads, drafts }).then(
      () => false,
      () => true,
    );
    const kept = isTooMuch ? [] : await files.keepDrafts(actor, uploads).catch(() => []);
    return [...drafts, ...kept.map(({ id }) => id)];
  }

  drafts(actor: Actor, ids: readonly string[]): Promise<{ id: string; name: string; size: number }[]> {
    return this.#deps.files.drafts(actor, ids);
  }

  /** Somebody is forgotten: what they wrote stays, under the name that is left. */
  async forget({ id, label }: { id: string; label: string }): Promise<void> {
    await this.#deps.db.transaction((tx) => renameAuthor(tx, id, label));
  }

  /** The solution helped. */
  async accept(actor: Actor, id: string): Promise<void> {
    const { status } = await this.#find(actor, id);
    if (status !== 'solved') throw new ConflictError('support.not-solved');
    await this.#say(actor, { requestId: id, kind: 'accept', body: '', kept: [], drafts: [] });
  }

  /** What waits or was refused is tried at once, and the vendor asked for news. */
  async lookSoon(actor: Actor, id: string): Promise<void> {
    await this.#find(actor, id);
    const { db, clock } = this.#deps;
    const now = clock.now();
    await db.transaction(async (tx) => {
      await hurryMessages(tx, id, now);
      await changeRequest(tx, id, { lookAt: now });
    });
    this.#deps.courier.soon();
  }

  async openFile(actor: Actor, id: string): Promise<{ file: SupportFile; content: Readable }> {
    assertMay(actor);
    const file = await findFile(this.#deps.db, id);
    if (!file || file.storageKey === null) throw new NotFoundError('support.no-such-file');
    return { file, content: await this.#deps.files.read(file.storageKey) };
  }

  async #find(actor: Actor, id: string): Promise<SupportRequest> {
    assertMay(actor);
    const request = await findRequest(this.#deps.db, id);
    if (!request) throw new NotFoundError('support.no-such-request');
    return request;
  }

  async #say(actor: Actor, said: Words): Promise<void> {
    await this.#deps.db.transaction((tx) => this.#write(tx, actor, said));
    this.#deps.courier.soon();
  }

  async #write(tx: Tx, actor: Actor, { requestId, kind, body, kept, drafts }: Words): Promise<void> {
    const now = this.#deps.clock.now();
    const id = newId();
    await insertMessage(tx, {
      id,
      requestId,
      kind,
      remoteId: null,
      authorId: actor.userId,
      authorName: actor.name,
      body,
      writtenAt: now,
      state: 'waiting',
      tries: 0,
      nextAt: now,
      problem: null,
      detail: null,
    });
    await changeRequest(tx, requestId, { updatedAt: now });
    const left = await this.#deps.files.handOver(tx, actor, drafts);
    for (const { name, mediaType, size, storageKey } of [...left, ...kept])
      await insertFile(tx, {
        id: newId(),
        messageId: id,
        remoteId: null,
        name,
        mediaType,
        size,
        storageKey,
        problem: null,
        tries: 0,
        nextAt: 0,
      });
  }

  async #assertSmall(actor: Actor, { uploads, drafts }: Enclosed): Promise<void> {
    const all = [...uploads, ...(await this.#deps.files.drafts(actor, drafts))];
    const size = all.reduce((sum, one) => sum + one.size, 0);
    if (all.length > MOST_FILES || size > MOST_BYTES)
      throw new InvalidInputError('support.too-many-files', {
        params: { files: MOST_FILES, megabytes: MOST_BYTES / 1024 / 1024 },
      });
  }

  async #keep(actor: Actor, enclosed: Enclosed): Promise<Kept[]> {
    await this.#assertSmall(actor, enclosed);
    const kept: Kept[] = [];
    for (const upload of enclosed.uploads) {
      const { name, mediaType, size: bytes, storageKey } = await this.#deps.files.keep(actor.userId, upload);
      kept.push({ name, mediaType, size: bytes, storageKey });
    }
    return kept;
  }
}

interface Words {
  requestId: string;
  kind: MessageKind;
  body: string;
  kept: Kept[];
  drafts: readonly string[];
}

const none: Enclosed = { uploads: [], drafts: [] };

type Kept = Pick<SupportFile, 'name' | 'mediaType' | 'size' | 'storageKey'>;

function assertMay(actor: Actor): void {
  if (!actor.can('network.support')) throw new ForbiddenError('access.right');
}
