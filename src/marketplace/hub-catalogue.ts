import { z } from 'zod';
import {
  headersFor,
  problemOfError,
  problemOfStatus,
  type HubCredentials,
  type HubProblem,
} from '../network/index.ts';
import type { Outbound } from '../outbound/outbound.ts';
import {
  readAverage,
  readItems,
  readOffers,
  readPage,
  type Average,
  type CatalogueItem,
  type HubOffer,
} from './catalogue-item.ts';

interface Deps {
  outbound: Pick<Outbound, 'fetch'>;
  version: string;
}

interface Wanted {
  path: string;
  maxBytes: number;
  timeoutMs?: number;
  onBytes?: (size: number) => void;
  signal: AbortSignal;
}

/** What came instead of an answer, by the ids that all pages share. */
export class HubTrouble extends Error {
  readonly problem: HubProblem;

  constructor(problem: HubProblem) {
    super(problem);
    this.name = 'HubTrouble';
    this.problem = problem;
  }
}

/** The hub has understood, and says no in its own words. */
export class HubRefusal extends Error {
  constructor(detail: string) {
    super(detail);
    this.name = 'HubRefusal';
  }
}

const refusal = z.object({ code: z.string(), detail: z.string().max(500) });
const REFUSED = new Set([400, 403, 404, 422]);
/** Read and written in small parts: whoever uses the house meanwhile does not wait for a page of a catalogue. */
const PER_PAGE = 50;
const AT_ONCE = 10;
const MOST_PAGES = 1_000;
const PAGE_BYTES = 8 * 1024 * 1024;
const PICTURE_BYTES = 1024 * 1024;
const DOWNLOAD_MS = 120_000;

/** Reads a hub's catalogue and fetches from it. Everything has a deadline and a cap, and no redirect is followed. */
export class HubCatalogue {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Page after page, a few plugins at a time, to the end that the hub names, an empty page, the same page again, or the cap. */
  async *pages(hub: HubCredentials, signal: AbortSignal): AsyncGenerator<CatalogueItem[]> {
    let seen = 0;
    let before = '';
    for (let at = 1; at <= MOST_PAGES; at += 1) {
      const path = `/api/network/v1/catalogue?page=${String(at)}&perPage=${String(PER_PAGE)}`;
      const text = (await this.#get(hub, { path, signal, maxBytes: PAGE_BYTES })).toString('utf8');
      const page = readPage(text);
      if (!page) throw new HubTrouble('N17');
      // A cache in between that knows no pages would have us read the first one for ever.
      const first = JSON.stringify(page.lines[0] ?? null);
      if (first === before) return;
      before = first;
      for (let from = 0; from < page.lines.length; from += AT_ONCE)
        yield readItems(page.lines.slice(from, from + AT_ONCE));
      seen += PER_PAGE;
      if (page.lines.length === 0 || seen >= page.total) return;
    }
  }

  async offers(hub: HubCredentials, signal: AbortSignal): Promise<HubOffer[]> {
    const path = '/api/network/v1/offers';
    return readOffers((await this.#get(hub, { path, signal, maxBytes: PAGE_BYTES })).toString('utf8'));
  }

  picture(hub: HubCredentials, sha256: string, signal: AbortSignal): Promise<Buffer> {
    return this.#get(hub, { path: `/api/network/v1/pictures/${sha256}`, signal, maxBytes: PICTURE_BYTES });
  }

  package(
    hub: HubCredentials,
    { sha256, size }: { sha256: string; size: number },
    watching: { signal: AbortSignal; onBytes: (size: number) => void },
  ): Promise<Buffer> {
    const path = `/api/network/v1/packages/${sha256}`;
    return this.#get(hub, { path, maxBytes: size, timeoutMs: DOWNLOAD_MS, ...watching });
  }

  /** Answers what all think of it by now. */
  async rate(
    credentials: HubCredentials,
    { pluginId, stars, sentence }: { pluginId: string; stars: number; sentence: string },
    signal: AbortSignal,
  ): Promise<Average> {
    const { outbound, version } = this.#deps;
    const answer = await outbound
      .fetch({
        url: `${credentials.hub}/api/network/v1/plugins/${encodeURIComponent(pluginId)}/rating`,
        method: 'PUT',
        headers: { ...headersFor(credentials, version), 'content-type': 'application/json' },
        body: JSON.stringify({ stars, sentence }),
        signal,
      })
      .catch((error: unknown) => {
        throw new HubTrouble(problemOfError(error));
      });
    const said = answer.bytes.toString('utf8');
    const average = answer.status === 200 ? readAverage(said) : null;
    if (average) return average;
    const refused = REFUSED.has(answer.status) ? readRefusal(said) : null;
    if (refused !== null) throw new HubRefusal(refused);
    throw new HubTrouble(problemOfStatus(answer.status, answer.headers['content-type'] ?? ''));
  }

  async #get(credentials: HubCredentials, { path, onBytes, ...limits }: Wanted): Promise<Buffer> {
    const { outbound, version } = this.#deps;
    const answer = await outbound
      .fetch(
        {
          url: `${credentials.hub}${path}`,
          method: 'GET',
          headers: { ...headersFor(credentials, version), accept: '*/*' },
          ...limits,
        },
        onBytes ? { onBytes } : {},
      )
      .catch((error: unknown) => {
        throw new HubTrouble(problemOfError(error));
      });
    const { status, headers, bytes, isCut } = answer;
    if (status !== 200 || isCut)
      throw new HubTrouble(isCut ? 'N17' : problemOfStatus(status, headers['content-type'] ?? ''));
    return bytes;
  }
}

/** What stands before a hub, or a hub that is switched off, refuses nothing. */
function readRefusal(text: string): string | null {
  try {
    const read = refusal.safeParse(JSON.parse(text)).data;
    return read && read.code !== 'page.not-found' ? read.detail : null;
  } catch {
    return null;
  }
}
