import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { InView } from '../../src/db/in-view.ts';

describe('what hundreds ask for in the same moment', () => {
  const db = { changes: 0 };
  const clock = { now: () => 0 };
  let looked = 0;
  const look = (): Promise<number> => Promise.resolve((looked += 1));
  const pass = (milliseconds: number): void => {
    const later = performance.now() + milliseconds;
    vi.spyOn(performance, 'now').mockReturnValue(later);
  };

  beforeEach(() => {
    looked = 0;
    vi.spyOn(performance, 'now').mockReturnValue(1_000);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test('is looked up once, also while the first of them still waits', async () => {
    const view = new InView<number>({ db, clock });

    expect(await Promise.all([view.find('a', look), view.find('a', look), view.find('b', look)])).toEqual([
      1, 1, 2,
    ]);
    pass(49);
    expect(await view.find('a', look)).toBe(1);
  });

  test('is looked up anew as soon as this process has written', async () => {
    const view = new InView<number>({ db, clock });
    await view.find('a', look);
    const before = view.find('c', look);

    db.changes += 1;

    expect(await view.find('a', look)).toBe(3);
    expect([await before, await view.find('c', look)]).toEqual([2, 4]);
  });

  test('is looked up anew after a twentieth of a second, and when the clock on the wall is turned', async () => {
    let wall = 0;
    const view = new InView<number>({ db, clock: { now: () => wall } });
    await view.find('a', look);

    pass(50);
    expect(await view.find('a', look)).toBe(2);
    wall -= 60_000;
    expect(await view.find('a', look)).toBe(3);
  });

  test('stays the very same thing where a look finds it as it was', async () => {
    const view = new InView<object>({ db, clock });
    const first = await view.find('a', () => Promise.resolve({}));

    db.changes += 1;

    expect(await view.find('a', (known) => Promise.resolve(known ?? {}))).toBe(first);
  });

  test('is asked for again where a look has failed', async () => {
    const view = new InView<number>({ db, clock });

    await expect(view.find('a', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(await view.find('a', look)).toBe(1);
  });

  test('is no more than was said; what came first goes first', async () => {
    const view = new InView<number>({ db, clock }, { most: 2 });
    for (const name of ['a', 'b', 'c']) await view.find(name, look);

    expect([await view.find('c', look), await view.find('b', look), await view.find('a', look)]).toEqual([
      3, 2, 4,
    ]);
  });
});
