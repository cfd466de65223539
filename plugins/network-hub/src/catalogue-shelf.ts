interface Wanted {
  /** The page, and who asks. */
  key: string;
  /** How often this process has written; what others write is seen when the text has aged. */
  changes: number;
}

interface Kept {
  text: string;
  changes: number;
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
    { key, changes }: Wanted,
    make: () => Promise<{ text: string; isForAll: boolean }>,
  ): Promise<string> {
    const kept = this.#pages.get(key);
    if (kept?.changes === changes && performance.now() - kept.at < FRESH_MS) return kept.text;
    const { text, isForAll } = await make();
    if (isForAll) this.#keep(key, { text, changes, at: performance.now() });
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
