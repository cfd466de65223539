import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import {
  defineContribution,
  defineFilter,
  defineVeto,
  Hooks,
  type HookFault,
  type HookStep,
} from '../../src/hooks/index.ts';
import { silentLog } from '../../src/log.ts';
import { VetoError } from '../../src/shared/errors.ts';
import { testClock } from '../support/clock.ts';

const about = { summary: 'For the tests.', since: '0.1.0', failure: 'open', budgetMs: 1 } as const;
const subject = defineFilter<string>({ name: 'ticket.subject', ...about });
const price = defineFilter<number>({ ...about, name: 'ticket.price', failure: 'closed' });
const mayClose = defineVeto<{ by: string }>({ ...about, name: 'ticket.may-close', failure: 'closed' });
const links = defineContribution<string, { by: string }>({ ...about, name: 'ticket.links' });

/** As in production: after its first runs a hook is run quickly. */
async function startWarmHooks() {
  const faults: HookFault[] = [];
  const onFault = (fault: HookFault): void => void faults.push(fault);
  const hooks = new Hooks({ clock: testClock(), log: silentLog(), onFault, deadlineMs: 60 });
  const warm = async (): Promise<void> => {
    for (let time = 0; time < 70; time += 1) {
      await Promise.resolve(hooks.filter(subject, 'warm', {})).catch(() => undefined);
      await hooks.veto(mayClose, { by: 'nobody' }).catch(() => undefined);
    }
  };
  await warm();
  return { hooks, faults, warm };
}

describe('a hook that is asked often', () => {
  test('answers at once where nobody needs time, and later where somebody does', async () => {
    const { hooks, warm } = await startWarmHooks();
    hooks.onFilter('tag', subject, (text) => `[tag] ${text}`);
    await warm();

    expect(hooks.filter(subject, 'printer', {})).toBe('[tag] printer');
    hooks.onFilter('later', subject, async (text) => {
      await sleep(1);
      return `${text}!`;
    });
    hooks.onFilter('reader', subject, () => undefined);
    await warm();
    expect(await hooks.filter(subject, 'printer', {})).toBe('[tag] printer!');
  });

  test('goes on without who throws or hangs in the middle, names them, and hears the others once', async () => {
    const { hooks, faults, warm } = await startWarmHooks();
    let heard = 0;
    const count = (text: string): string => {
      heard += 1;
      return `${text}.`;
    };
    hooks.onFilter('first', subject, count);
    hooks.onFilter('moody', subject, (text) => {
      if (text.startsWith('throw')) throw new Error('not today');
      return text.startsWith('hang') ? new Promise<never>(() => undefined) : text;
    });
    hooks.onFilter('last', subject, count);
    await warm();
    heard = 0;

    expect(await hooks.filter(subject, 'throw', {})).toBe('throw..');
    await warm();
    heard -= 140;
    expect(await hooks.filter(subject, 'hang', {})).toBe('hang..');
    expect({ heard, owners: faults.map(({ owner }) => owner) }).toEqual({
      heard: 4,
      owners: ['moody', 'moody'],
    });
  });

  test('leaves out who keeps failing, as a hook that is asked seldom does', async () => {
    const { hooks, faults, warm } = await startWarmHooks();
    let isBroken = false;
    hooks.onFilter('moody', subject, (text) => {
      if (isBroken) throw new Error('not today');
      return `${text}!`;
    });
    await warm();
    isBroken = true;

    for (let time = 0; time < 9; time += 1) expect(await hooks.filter(subject, 'a', {})).toBe('a');

    expect(faults).toHaveLength(5);
    expect(hooks.catalogue().find(({ name }) => name === 'ticket.subject')?.listeners).toMatchObject([
      { owner: 'moody', breaker: 'open', faults: 5 },
    ]);
  });

  test('refuses by rejecting, never by throwing at once', async () => {
    const { hooks, warm } = await startWarmHooks();
    hooks.onVeto('sla', mayClose, ({ by }) => (by === 'Zoe' ? { code: 'sla.open', field: 'status' } : null));
    hooks.onFilter('tag', subject, () => {
      throw new VetoError('tag.forbidden-word');
    });
    await warm();

    const [closing, tagged] = [hooks.veto(mayClose, { by: 'Zoe' }), hooks.filter(subject, 'fishy', {})];

    await expect(closing).rejects.toMatchObject({ code: 'sla.open', fields: [{ field: 'status' }] });
    await expect(Promise.resolve(tagged)).rejects.toThrow('tag.forbidden-word');
    await expect(hooks.veto(mayClose, { by: 'Ada' })).resolves.toBeUndefined();
  });

  test('stays closed while its guard fails or is missing', async () => {
    const { hooks, warm } = await startWarmHooks();
    let isBroken = false;
    hooks.onVeto('guard', mayClose, () => {
      if (isBroken) throw new Error('cannot tell');
      return null;
    });
    await warm();
    await expect(hooks.veto(mayClose, { by: 'Ada' })).resolves.toBeUndefined();

    isBroken = true;
    await expect(hooks.veto(mayClose, { by: 'Ada' })).rejects.toThrow('hook.unavailable');
    hooks.expectListener('other-guard', price.name);
    await expect(Promise.resolve(hooks.filter(price, 1, {}))).rejects.toMatchObject({
      params: { plugin: 'other-guard' },
    });
  });
});

describe('what a hook costs', () => {
  test('is counted for every run and timed for some, refusals and rests aside', async () => {
    const { hooks, warm } = await startWarmHooks();
    hooks.onFilter('slow', subject, (text) => {
      const until = performance.now() + 0.2;
      while (performance.now() < until);
      return text;
    });

    await warm();
    await warm();

    const [listener] = hooks.catalogue().find(({ name }) => name === 'ticket.subject')?.listeners ?? [];
    expect(listener).toMatchObject({ calls: 140 });
    expect(listener?.averageMs).toBeGreaterThan(0.19);
    expect(listener?.estimatedMs).toBeGreaterThan(140 * 0.19);
  });
});

describe('a contribution', () => {
  test('gathers what everybody adds, in order, without those who stay away or fail', async () => {
    const { hooks, faults } = await startWarmHooks();
    hooks.onContribution('wiki', links, ({ by }) => `wiki/${by}`, { after: ['phone'] });
    hooks.onContribution('broken', links, () => Promise.reject(new Error('not today')));
    hooks.onContribution('shy', links, () => null);
    hooks.onContribution('phone', links, () => Promise.resolve('tel:1'));

    expect(await hooks.gather(links, { by: 'Ada' })).toEqual([
      { owner: 'phone', thing: 'tel:1' },
      { owner: 'wiki', thing: 'wiki/Ada' },
    ]);
    expect(faults.map(({ owner }) => owner)).toEqual(['broken']);
  });
});

describe('somebody who looks on', () => {
  test('sees what each listener made of the value, in that work only', async () => {
    const { hooks, warm } = await startWarmHooks();
    hooks.onFilter('tag', subject, (text) => `[tag] ${text}`);
    hooks.onFilter('later', subject, (text) => Promise.resolve(text.toUpperCase()));
    await warm();
    const steps: HookStep[] = [];
    const observer = { look: (value: unknown) => value, saw: (step: HookStep) => void steps.push(step) };

    const [seen] = await Promise.all([
      hooks.observe(observer, async () => {
        await sleep(2);
        return hooks.filter(subject, 'printer', {});
      }),
      hooks.observe({ look: () => null, saw: () => undefined }, async () => hooks.filter(subject, 'a', {})),
      hooks.filter(subject, 'unseen', {}),
    ]);

    expect(seen).toBe('[TAG] PRINTER');
    expect(steps.map(({ owner, before, after, outcome }) => ({ owner, before, after, outcome }))).toEqual([
      { owner: 'tag', before: 'printer', after: '[tag] printer', outcome: 'answered' },
      { owner: 'later', before: '[tag] printer', after: '[TAG] PRINTER', outcome: 'answered' },
    ]);
  });
});
