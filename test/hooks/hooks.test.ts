import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { defineFilter, defineVeto, Hooks, type HookFault } from '../../src/hooks/index.ts';
import { silentLog } from '../../src/log.ts';
import { VetoError } from '../../src/shared/errors.ts';
import { testClock } from '../support/clock.ts';

const about = { summary: 'For the tests.', since: '0.1.0', budgetMs: 20 };
const subject = defineFilter<string, { ticketId: string }>({
  name: 'ticket.subject',
  failure: 'open',
  ...about,
});
const price = defineFilter<number>({ name: 'ticket.price', failure: 'closed', ...about });
const mayClose = defineVeto<{ ticketId: string }>({ name: 'ticket.may-close', failure: 'closed', ...about });
const ticket = { ticketId: '1' };

function startHooks() {
  const clock = testClock();
  const faults: HookFault[] = [];
  const onFault = (fault: HookFault): void => void faults.push(fault);
  const hooks = new Hooks({ clock, log: silentLog(), onFault, strict: true, deadlineMs: 60 });
  return { hooks, clock, faults };
}

const never = (): Promise<never> => new Promise(() => undefined);

describe('a filter', () => {
  test('hands the value through everybody who listens, and leaves it alone where the answer is nothing', async () => {
    const { hooks } = startHooks();
    hooks.onFilter('tag', subject, (text) => `[tag] ${text}`);
    hooks.onFilter('reader', subject, () => undefined);
    hooks.onFilter('shout', subject, (text) => Promise.resolve(text.toUpperCase()));

    expect(await hooks.filter(subject, 'printer', ticket)).toBe('[TAG] PRINTER');
  });

  test('gives the value back where nobody listens, or nobody does any more', async () => {
    const { hooks } = startHooks();
    const undo = hooks.onFilter('tag', subject, (text) => `[tag] ${text}`);

    undo();
    undo();

    expect(await hooks.filter(subject, 'printer', ticket)).toBe('printer');
  });

  test('keeps the order of before, after and priority, whoever was enabled first', async () => {
    const wishes = [
      { owner: 'late', order: { priority: 90 } },
      { owner: 'early', order: { priority: 1 } },
      { owner: 'first', order: { priority: 50, before: ['early'] } },
      { owner: 'last', order: { priority: 0, after: ['late'] } },
    ];
    for (const order of permutations(wishes)) {
      const { hooks } = startHooks();
      for (const { owner, order: wish } of order)
        hooks.onFilter(owner, subject, (text) => `${text} ${owner}`, wish);

      expect(await hooks.filter(subject, '', ticket)).toBe(' first early late last');
    }
  });

  test('names plugins that each want to come before the other, and asks them all the same', async () => {
    const { hooks } = startHooks();
    hooks.onFilter('a', subject, (text) => `${text}a`, { before: ['b'], priority: 5 });
    hooks.onFilter('b', subject, (text) => `${text}b`, { before: ['a'] });
    hooks.onFilter('c', subject, (text) => `${text}c`, { after: ['b'] });

    expect(await hooks.filter(subject, '', ticket)).toBe('abc');
    expect(hooks.catalogue()).toMatchObject([{ name: 'ticket.subject', contradicting: ['a', 'b'] }]);
  });

  test('goes on without a listener that throws, and names it', async () => {
    const { hooks, faults } = startHooks();
    hooks.onFilter('broken', subject, () => {
      throw new TypeError('nothing here');
    });
    hooks.onFilter('tag', subject, (text) => `[tag] ${text}`);

    expect(await hooks.filter(subject, 'printer', ticket)).toBe('[tag] printer');
    expect(faults).toMatchObject([
      { owner: 'broken', hook: 'ticket.subject', error: { message: 'nothing here' } },
    ]);
  });

  test('goes on without a listener that hangs', async () => {
    const { hooks, faults } = startHooks();
    hooks.onFilter('hanging', subject, never);
    hooks.onFilter('tag', subject, (text) => `[tag] ${text}`);

    const startedAt = performance.now();
    expect(await hooks.filter(subject, 'printer', ticket)).toBe('[tag] printer');

    expect(performance.now() - startedAt).toBeLessThan(500);
    expect(faults).toMatchObject([{ owner: 'hanging', error: { name: 'DeadlineError' } }]);
  });

  test('passes over each that hangs, and does not hear what it says later', async () => {
    const { hooks, faults } = startHooks();
    const late = Promise.withResolvers<string>();
    const broken = Promise.withResolvers<string>();
    hooks.onFilter('late', subject, () => late.promise);
    hooks.onFilter('tag', subject, (text) => Promise.resolve(`[tag] ${text}`));
    hooks.onFilter('broken', subject, () => broken.promise);
    hooks.onFilter('shout', subject, (text) => Promise.resolve(text.toUpperCase()));

    const asked = hooks.filter(subject, 'printer', ticket);

    expect(await asked).toBe('[TAG] PRINTER');
    late.resolve('too late');
    broken.reject(new Error('too late'));
    expect(await asked).toBe('[TAG] PRINTER');
    expect(faults.map(({ owner }) => owner)).toEqual(['late', 'broken']);
  });

  test('does not hear who comes too late while somebody else is being asked', async () => {
    const { hooks } = startHooks();
    const late = Promise.withResolvers<string>();
    hooks.onFilter('late', subject, () => late.promise);
    hooks.onFilter('tag', subject, async (text) => {
      late.resolve('too late');
      await sleep(20);
      return `[tag] ${text}`;
    });

    expect(await hooks.filter(subject, 'printer', ticket)).toBe('[tag] printer');
  });

  test('keeps two runs apart of which one hangs', async () => {
    const { hooks } = startHooks();
    hooks.onFilter('moody', subject, (text) => (text === 'slow' ? never() : Promise.resolve(`${text}!`)));

    const answers = await Promise.all(
      ['slow', 'quick', 'slow', 'quick'].map(async (text) => hooks.filter(subject, text, ticket)),
    );

    expect(answers).toEqual(['slow', 'quick!', 'slow', 'quick!']);
  });

  test('refuses, and names the listener, where it may not go on without it', async () => {
    const { hooks } = startHooks();
    hooks.onFilter('billing', price, never);

    const asked = hooks.filter(price, 1, {});

    await expect(asked).rejects.toMatchObject({
      code: 'hook.unavailable',
      params: { hook: 'ticket.price', plugin: 'billing' },
    });
  });

  test('lets a refusal of a listener through without calling it a fault', async () => {
    const { hooks, faults } = startHooks();
    hooks.onFilter('tag', subject, () => Promise.reject(new VetoError('tag.forbidden-word')));

    await expect(hooks.filter(subject, 'fishy', ticket)).rejects.toThrow('tag.forbidden-word');
    expect(faults).toEqual([]);
  });

  test('does not let a listener write to what it is only shown', async () => {
    const { hooks, faults } = startHooks();
    hooks.onFilter('writer', subject, (text, context) => {
      Object.assign(context, { ticketId: '2' });
      return text;
    });

    await hooks.filter(subject, 'printer', { ...ticket });

    expect(faults).toMatchObject([{ owner: 'writer', error: { name: 'TypeError' } }]);
  });
});

describe('a listener that keeps failing', () => {
  test('is left out after five faults, tried once after half a minute, and asked again when it has recovered', async () => {
    const { hooks, clock, faults } = startHooks();
    let isBroken = true;
    let asked = 0;
    hooks.onFilter('moody', subject, (text) => {
      asked += 1;
      if (isBroken) throw new Error('not today');
      return `${text}!`;
    });
    const ask = async (): Promise<string> => hooks.filter(subject, 'printer', ticket);

    for (let time = 0; time < 8; time += 1) await ask();
    expect({ asked, faults: faults.length }).toEqual({ asked: 5, faults: 5 });
    expect(hooks.catalogue()[0]?.listeners[0]).toMatchObject({ breaker: 'open', faults: 5 });

    clock.advance(30_000);
    await ask();
    await ask();
    expect(asked).toBe(6);

    clock.advance(30_000);
    isBroken = false;
    expect([await ask(), await ask()]).toEqual(['printer!', 'printer!']);
    expect(hooks.catalogue()[0]?.listeners[0]).toMatchObject({ breaker: 'closed' });
  });

  test('is tried by one request only, however many come at once', async () => {
    const { hooks, clock } = startHooks();
    let asked = 0;
    hooks.onFilter('moody', subject, () => {
      asked += 1;
      return Promise.reject(new Error('not today'));
    });
    for (let time = 0; time < 5; time += 1) await hooks.filter(subject, 'printer', ticket);
    clock.advance(30_000);

    await Promise.all(['a', 'b', 'c'].map(async (text) => hooks.filter(subject, text, ticket)));

    expect(asked).toBe(6);
  });

  test('is kept when its faults are rare', async () => {
    const { hooks, clock, faults } = startHooks();
    hooks.onFilter('rare', subject, () => {
      throw new Error('now and then');
    });

    for (let time = 0; time < 10; time += 1) {
      await hooks.filter(subject, 'printer', ticket);
      clock.advance(20_000);
    }

    expect(faults).toHaveLength(10);
  });

  test('keeps a guarded act closed while it is left out', async () => {
    const { hooks } = startHooks();
    hooks.onVeto('guard', mayClose, () => {
      throw new Error('cannot tell');
    });

    for (let time = 0; time < 8; time += 1) {
      await expect(hooks.veto(mayClose, ticket)).rejects.toMatchObject({
        code: 'hook.unavailable',
        params: { plugin: 'guard' },
      });
    }
  });
});

describe('a veto', () => {
  test('stops at the first reason, and says at which field', async () => {
    const { hooks } = startHooks();
    let wasAsked = false;
    hooks.onVeto('calm', mayClose, () => null);
    hooks.onVeto('sla', mayClose, () => ({ code: 'sla.open', params: { hours: 2 }, field: 'status' }));
    hooks.onVeto('later', mayClose, () => {
      wasAsked = true;
      return null;
    });

    await expect(hooks.veto(mayClose, ticket)).rejects.toMatchObject({
      kind: 'veto',
      code: 'sla.open',
      params: { hours: 2 },
      fields: [{ field: 'status', code: 'sla.open' }],
    });
    expect(wasAsked).toBe(false);
  });

  test('passes where everybody agrees', async () => {
    const { hooks } = startHooks();
    hooks.onVeto('calm', mayClose, () => Promise.resolve(null));

    await expect(hooks.veto(mayClose, ticket)).resolves.toBeUndefined();
  });

  test('refuses while a plugin that is enabled does not run, and opens when it does or is disabled', async () => {
    const { hooks } = startHooks();
    const forget = hooks.expectListener('guard', 'ticket.may-close');

    await expect(hooks.veto(mayClose, ticket)).rejects.toMatchObject({
      code: 'hook.unavailable',
      params: { hook: 'ticket.may-close', plugin: 'guard' },
    });
    const stop = hooks.onVeto('guard', mayClose, () => null);
    await expect(hooks.veto(mayClose, ticket)).resolves.toBeUndefined();
    stop();
    await expect(hooks.veto(mayClose, ticket)).rejects.toThrow('hook.unavailable');
    forget();
    await expect(hooks.veto(mayClose, ticket)).resolves.toBeUndefined();
  });

  test('that is open does not mind who is missing', async () => {
    const { hooks } = startHooks();
    hooks.expectListener('tag', 'ticket.subject');

    expect(await hooks.filter(subject, 'printer', ticket)).toBe('printer');
    expect(hooks.catalogue()).toMatchObject([{ name: 'ticket.subject', missing: ['tag'] }]);
  });
});

function permutations<T>(all: readonly T[]): T[][] {
  if (all.length < 2) return [[...all]];
  return all.flatMap((one, at) =>
    permutations(all.filter((_, other) => other !== at)).map((rest) => [one, ...rest]),
  );
}
