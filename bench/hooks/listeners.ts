export interface About {
  ticketId: number;
}

export type Listener = (value: number, about: About) => number;
export type LaterListener = (value: number, about: About) => Promise<number>;

/** Functions of their own each, as plugins bring them: one shared closure would be inlined wherever it is called. */
export const listeners = (count: number): Listener[] =>
  Array.from(
    { length: count },
    (_, at) => compiled(`(value, about) => value + about.ticketId + ${String(at)}`) as Listener,
  );

export const laterListeners = (count: number): LaterListener[] =>
  Array.from(
    { length: count },
    (_, at) => compiled(`async (value, about) => value + about.ticketId + ${String(at)}`) as LaterListener,
  );

/** What ten of them, or none, make of a value: every contender must say the same. */
export const expected = (count: number, value: number, { ticketId }: About): number =>
  value + count * ticketId + (count * (count - 1)) / 2;

// eslint-disable-next-line @typescript-eslint/no-implied-eval -- The only way to get distinct functions by the dozen.
const compiled = (source: string): unknown => (new Function(`return ${source}`) as () => unknown)();
