import { rm } from 'node:fs/promises';
import type { Database, Tx } from '../../db/database.ts';
import { saveFetched } from '../../http/uploads.ts';
import { pauseAfter } from '../../jobs/index.ts';
import type { Log } from '../../log.ts';
import type { NotificationKind, NotificationService } from '../../notifications/index.ts';
import type { Clock } from '../../shared/clock.ts';
import { KnownError } from '../../shared/errors.ts';
import { newId } from '../../shared/ids.ts';
import type { HubCredentials } from '../hub-client.ts';
import type { SupportLine } from './support-line.ts';
import {
  changeFile,
  changeRequest,
  insertFile,
  insertMessage,
  isReceived,
  listDueFiles,
  listDueRequests,
  listMessages,
} from './support-repository.ts';
import type { News, Said } from './support-wire.ts';
import { MOST_BYTES, nextLook, type SupportFile, type SupportFiles, type SupportRequest } from './support.ts';

interface Deps {
  db: Database;
  clock: Clock;
  log: Log;
  line: SupportLine;
  files: Pick<SupportFiles, 'keep'>;
  /** Where files lie until they are judged. */
  incoming: string;
  notices: Pick<NotificationService, 'notify'>;
  /** Who hears of it when nobody here has asked. */
  caretakers: () => Promise<{ id: string }[]>;
}

export const supportNotice: NotificationKind = {
  id: 'network.support',
  text: 'support:notice',
  label: 'support:notice-kind',
  icon: 'lifebuoy',
  bell: true,
  mail: true,
};

const FILE_AGAIN = { firstMs: 30_000, longestMs: 6 * 3_600_000 };
const AGAIN_MS = 60_000;
const FOREVER = 8.64e15;

/** What comes back from the vendor: answers, solutions, the end of it, and files. */
export class SupportPost {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async fetch(hub: HubCredentials, signal: AbortSignal): Promise<void> {
    await this.#fetchNews(hub, signal);
    await this.#fetchFiles(hub, signal);
  }

  async #fetchNews(hub: HubCredentials, signal: AbortSignal): Promise<void> {
    const { db, clock, line } = this.#deps;
    const asked = await listDueRequests(db, hub.hub, clock.now());
    if (asked.length === 0) return;
    const outcome = await line.news(hub, asked, signal);
    if (signal.aborted) return;
    const news = 'answer' in outcome ? outcome.answer : null;
    for (const request of asked) {
      const found = news?.find(({ id }) => id === request.id);
      await this.#take(request, news ? found : null);
    }
  }

  /** `undefined`: nothing new; null: nobody answered. */
  async #take(request: SupportRequest, news: News | null | undefined): Promise<void> {
    const { db, clock } = this.#deps;
    const now = clock.now();
    if (!news) {
      const lookAt = news === null ? now + AGAIN_MS : nextLook(request, now);
      await db.transaction((tx) =>
        changeRequest(tx, request.id, { lookAt, ...(news === null ? {} : { isLost: false }) }),
      );
      return;
    }
    if (!news.isKnown) {
      const lookAt = now + 60 * AGAIN_MS;
      await db.transaction((tx) => changeRequest(tx, request.id, { isLost: true, lookAt }));
      return;
    }
    const hearers = await this.#hearersOf(request);
    await db.transaction(async (tx) => {
      const isNews = await this.#write(tx, request, news);
      if (!isNews && news.status === request.status) return;
      const { id, title } = request;
      await this.#deps.notices.notify(tx, {
        userIds: hearers,
        kind: supportNotice.id,
        subject: { type: 'support', id },
        link: `/admin/network/support/${id}`,
        params: { title },
      });
    });
  }

  /** Whether the vendor has said something that was not here yet. */
  async #write(tx: Tx, request: SupportRequest, news: News & { isKnown: true }): Promise<boolean> {
    const now = this.#deps.clock.now();
    const { reference, status, version } = news;
    // At once again when the hub had more to tell than it tells at once.
    const lookAt = news.said.length > 0 ? now : nextLook({ status, updatedAt: now }, now);
    const known = { reference, status, version, isLost: false, updatedAt: now, lookAt };
    await changeRequest(tx, request.id, known);
    let isNews = false;
    for (const one of news.said) {
      if (await isReceived(tx, request.id, one.id)) continue;
      await this.#writeMessage(tx, request, one);
      isNews = true;
    }
    return isNews;
  }

  async #writeMessage(tx: Tx, request: SupportRequest, said: Said): Promise<void> {
    const id = newId();
    const { kind, author, body, writtenAt } = said;
    await insertMessage(tx, {
      id,
      requestId: request.id,
      kind,
      remoteId: said.id,
      authorId: null,
      authorName: author,
      body,
      writtenAt,
      state: 'received',
      tries: 0,
      nextAt: 0,
      problem: null,
      detail: null,
    });
    for (const { id: remoteId, name, size } of said.files) {
      const isTooBig = size > MOST_BYTES;
      await insertFile(tx, {
        id: newId(),
        messageId: id,
        remoteId,
        name,
        mediaType: 'application/octet-stream',
        size,
        storageKey: null,
        problem: isTooBig ? 'support.file-too-big' : null,
        tries: 0,
        nextAt: isTooBig ? FOREVER : 0,
      });
    }
  }

  async #fetchFiles(hub: HubCredentials, signal: AbortSignal): Promise<void> {
    const { db, clock, log } = this.#deps;
    for (const { file, requestId } of await listDueFiles(db, hub.hub, clock.now())) {
      if (signal.aborted) return;
      const change = await this.#fetchFile(hub, { file, requestId }, signal).catch((error: unknown) => {
        log.warn({ error }, 'A file of a support request could not be kept');
        return this.#laterFor(file, 'support.file-not-kept');
      });
      await db.transaction((tx) => changeFile(tx, file.id, change));
    }
  }

  async #fetchFile(
    hub: HubCredentials,
    { file, requestId }: { file: SupportFile; requestId: string },
    signal: AbortSignal,
  ): Promise<Partial<SupportFile>> {
    const { line, files, incoming } = this.#deps;
    const wanted = { requestId, fileId: file.remoteId ?? '', size: file.size };
    const outcome = await line.file(hub, wanted, signal);
    if ('refused' in outcome) return { problem: 'support.file-gone', nextAt: FOREVER };
    if ('problem' in outcome) return this.#laterFor(file, null);
    const saved = await saveFetched(outcome.answer, { name: file.name, folder: incoming });
    try {
      return { ...(await files.keep(null, saved)), problem: null };
    } catch (error) {
      if (!(error instanceof KnownError) || error.kind === 'unavailable') throw error;
      return { problem: 'support.file-refused', nextAt: FOREVER };
    } finally {
      await rm(saved.path, { force: true });
    }
  }

  #laterFor({ tries }: SupportFile, problem: string | null): Partial<SupportFile> {
    const nextAt = this.#deps.clock.now() + pauseAfter(Math.min(tries + 1, 20), FILE_AGAIN);
    return { tries: tries + 1, nextAt, problem };
  }

  /** Everybody here who has written on it. */
  async #hearersOf(request: SupportRequest): Promise<string[]> {
    const written = await listMessages(this.#deps.db, request.id);
    const authors = written.flatMap(({ authorId }) => authorId ?? []);
    const people = [...new Set([...(request.openedBy === null ? [] : [request.openedBy]), ...authors])];
    return people.length > 0 ? people : (await this.#deps.caretakers()).map(({ id }) => id);
  }
}
