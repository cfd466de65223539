import type { Actor } from '../shared/actor.ts';
import type { PageContext, ResolvedSlots } from './page-context.ts';
import type { Renderer } from './renderer.ts';
import type { Undo } from '../hooks/tokens.ts';

/** The model for the slot's template, or null to stay away. */
export type SlotListener = (context: unknown, actor: Actor) => object | null | Promise<object | null>;

/** Which slots a page has and what they are about. `ticket.row#42` is the slot `ticket.row` for one of many. */
export type WantedSlots = Readonly<Record<string, unknown>>;

export interface SlotFault {
  slot: string;
  owner: string;
  error: unknown;
}

interface Deps {
  renderer: Pick<Renderer, 'render'>;
  onFault: (fault: SlotFault) => void;
  /** Hears how long each listener took. */
  onAsked?: (asked: { slot: string; owner: string; tookMs: number; isFault: boolean }) => void;
  /** A listener that takes longer is left out of the page. */
  deadlineMs?: number;
}

interface Filling {
  owner: string;
  template: string;
  listener: SlotListener;
  order: number;
}

/** Asked for on every page by the layouts. */
const STANDING = ['layout.banner', 'layout.footer'] as const;

/** Places in our pages where plugins may put something of theirs. */
export class Slots {
  readonly #deps: Deps;
  readonly #fillings = new Map<string, Filling[]>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  add(slot: string, owner: string, template: string, listener: SlotListener, order = 0): Undo {
    const filling = { owner, template, listener, order };
    const others = this.#fillings.get(slot) ?? [];
    this.#fillings.set(slot, [...others, filling].sort(inOrder));
    return () => {
      const left = (this.#fillings.get(slot) ?? []).filter((other) => other !== filling);
      if (left.length > 0) this.#fillings.set(slot, left);
      else this.#fillings.delete(slot);
    };
  }

  /** Asks all listeners of these slots at once; rendering itself waits for nothing. */
  async resolve(wanted: WantedSlots, actor: Actor, page: PageContext): Promise<ResolvedSlots> {
    if (this.#fillings.size === 0) return {};
    const standing = Object.fromEntries(STANDING.map((slot) => [slot, {}]));
    const all = Object.entries({ ...standing, ...wanted }).filter(([key]) => this.#fillings.has(slotOf(key)));
    const filled = await Promise.all(
      all.map(async ([key, context]) => [key, await this.#fill(slotOf(key), context, actor, page)] as const),
    );
    return Object.fromEntries(filled);
  }

  async #fill(slot: string, context: unknown, actor: Actor, page: PageContext): Promise<string> {
    const fillings = this.#fillings.get(slot) ?? [];
    const parts = await Promise.all(
      fillings.map((filling) => this.#ask(slot, filling, { context, actor, page })),
    );
    return parts.join('');
  }

  /** One that fails leaves its place empty and is named; the page stands. */
  async #ask(
    slot: string,
    { owner, template, listener }: Filling,
    { context, actor, page }: { context: unknown; actor: Actor; page: PageContext },
  ): Promise<string> {
    const startedAt = performance.now();
    let isFault = false;
    try {
      const model = await withDeadline(async () => listener(context, actor), this.#deps.deadlineMs ?? 1000);
      return model ? this.#deps.renderer.render(template, model, { ...page, fragment: true }) : '';
    } catch (error) {
      isFault = true;
      this.#deps.onFault({ slot, owner, error });
      return '';
    } finally {
      this.#deps.onAsked?.({ slot, owner, tookMs: performance.now() - startedAt, isFault });
    }
  }
}

const slotOf = (key: string): string => key.split('#', 1)[0] ?? key;

const inOrder = (one: Filling, other: Filling): number =>
  one.order - other.order || one.owner.localeCompare(other.owner);

async function withDeadline<T>(work: () => Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`No answer within ${String(milliseconds)} ms.`));
    }, milliseconds);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
