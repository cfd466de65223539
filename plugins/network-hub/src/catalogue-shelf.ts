/** What a page depends on besides its number: who asks, and how far the catalogue has come. */
interface Wanted {
  key: string;
  /** Raised by every change in this process; other processes' are seen when the text has aged. */
  edition: number;
}

interface Kept {
  text: string;
  edition: number;
  at: number;
}

const FRESH_MS = 5_000;
const MOST_CHARACTERS = 16 * 1024 * 1024;

/** Pages of the catalogue as they were sent last: thousands of helpdesks ask for the same few. */
export class CatalogueShelf {
  readonly #pages = new Map<string, Kept>();
  #size = 0;

  /** As it stands, or made now. A page that is not the same for everybody says so and is not kept. */
  async page(
    { key, edition }: Wanted,
    make: () => Promise<{ text: string; isForAll: boolean }>,
  ): Promise<string> {
    const kept = this.#pages.get(key);
    if (kept?.edition === edition && performance.now() - kept.at < FRESH_MS) return kept.text;
    const { text, isForAll } = await make();
    if (isForAll) this.#keep(key, { text, edition, at: performance.now() });
    return text;
  }

  #keep(key: string, page: Kept): void {
    this.#size += page.text.length - (this.#pages.get(key)?.text.length ?? 0);
    this.#pages.set(key, page);
    if (this.#size <= MOST_CHARACTERS) return;
    this.#pages.clear();
    this.#size = 0;
  }
}
