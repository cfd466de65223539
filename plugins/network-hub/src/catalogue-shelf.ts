import { InView, text, type Host, type Reply } from 'latchkey/plugin-api';
import { catalogueStamp } from './catalogue-repository.ts';
import { programOf, type Asker } from './release.ts';

export interface Range {
  page: number;
  perPage: number;
}

interface Made {
  body: object;
  /** The same for everybody who asks with the same program. */
  isForAll: boolean;
}

interface Page {
  /** Null where it is not the same for everybody. */
  reply: Reply | null;
  /** What it was made of: the rows themselves, and how often this process had written by then. */
  stamp: string;
  changes: number;
  at: number;
}

/** Stars and downloads that another node has counted are shown this late; a version that one has withdrawn is not. */
const FRESH_MS = 5_000;
/** At the most half a megabyte each. */
const MOST_PAGES = 64;

/**
 * Pages of the catalogue as they were sent last: thousands of helpdesks ask for the same few. The very same reply goes out as the very
 * same bytes.
 */
export class CatalogueShelf {
  readonly #db: Host['db'];
  readonly #make: (range: Range, asker: Asker) => Promise<Made>;
  readonly #pages: InView<Page>;

  constructor(host: Pick<Host, 'db' | 'clock'>, make: (range: Range, asker: Asker) => Promise<Made>) {
    this.#db = host.db;
    this.#make = make;
    this.#pages = new InView(host, { most: MOST_PAGES });
  }

  async page(range: Range, asker: Asker): Promise<Reply> {
    const name = `${String(range.page)} ${String(range.perPage)} ${programOf(asker)}`;
    let own: Reply | undefined;
    const { reply } = await this.#pages.find(name, async (known) => {
      const { changes } = this.#db;
      const stamp = await catalogueStamp(this.#db, rowsOf(range));
      if (known && isAsItWas(known, { stamp, changes })) return known;
      const made = await this.#make(range, asker);
      own = replyOf(made);
      return { reply: made.isForAll ? own : null, stamp, changes, at: performance.now() };
    });
    return reply ?? own ?? replyOf(await this.#make(range, asker));
  }
}

export const rowsOf = ({ page, perPage }: Range): { from: number; limit: number } => ({
  from: (page - 1) * perPage,
  limit: perPage,
});

const replyOf = ({ body }: Made): Reply => text(JSON.stringify(body), 'application/json; charset=utf-8');

const isAsItWas = (page: Page, now: Pick<Page, 'stamp' | 'changes'>): boolean =>
  page.stamp === now.stamp && page.changes === now.changes && performance.now() - page.at < FRESH_MS;
