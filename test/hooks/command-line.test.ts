import { expect, test } from 'vitest';
import { defineEvent } from '../../src/hooks/index.ts';
import { ticketDraft } from '../../src/tickets/index.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import { days } from '../support/clock.ts';
import { startTestApp } from '../support/test-app.ts';
import { commandsOf } from '../cli/shell.ts';

const moved = defineEvent<{ to: string }>({ name: 'test.moved', summary: 'It moved.', since: '0.1.0' });

describeOnEachEngine('on the command line', (engine) => {
  test('one sees every hook with all that there is to know of it, and who listens in which order', async () => {
    const { house } = await startTestApp({ engine });
    house.ground.hooks.onFilter('tag', ticketDraft, () => undefined, { after: ['spelling'] });
    house.ground.hooks.onFilter('spelling', ticketDraft, () => undefined);
    const latchkey = commandsOf(house);

    const all = (await latchkey('hooks --json')).json();
    const one = (await latchkey('hooks ticket.draft --json')).json() as { listeners: { owner: string }[] };

    expect(all.length).toBeGreaterThanOrEqual(60);
    for (const hook of all) {
      expect(hook).toMatchObject({
        name: expect.any(String),
        kind: expect.stringMatching(/^(filter|veto|event|contribution)$/),
        summary: expect.stringMatching(/.{5}/),
        since: expect.stringMatching(/^\d+\.\d+\.\d+$/),
        failure: expect.stringMatching(/^(open|closed)$/),
        budgetMs: expect.any(Number),
        listeners: expect.any(Array),
      });
    }
    expect(one.listeners.map(({ owner }) => owner)).toEqual(['spelling', 'tag']);
    expect((await latchkey('hooks')).out).toContain('spelling, tag');
    expect(await latchkey('hooks no.such')).toMatchObject({
      code: 66,
      err: expect.stringContaining('There is no hook no.such'),
    });
  });

  test('one sees what was given up, and has one or all of it tried again', async () => {
    const { house, db, settle, clock, as, given } = await startTestApp({ engine });
    const { hooks } = house.ground;
    const heard: string[] = [];
    let isDown = true;
    hooks.onEvent('mover', moved, ({ to }) => {
      if (isDown) throw new Error('the van broke down');
      heard.push(to);
    });
    for (const to of ['Paris', 'Lyon', 'Nice'])
      await db.transaction((tx) => hooks.emit(tx, moved, { to }, { aggregate: `box:${to}` }));
    for (let attempt = 0; attempt < 10; attempt += 1) {
      await settle();
      clock.advance(days(1));
    }
    const latchkey = commandsOf(house);
    const listed = (await latchkey('events list --json')).json();
    expect(listed).toHaveLength(3);
    expect(listed[0]).toMatchObject({ state: 'dead', attempts: 10, lastError: 'Error: the van broke down' });

    isDown = false;
    const { position, consumer } = listed[2];
    expect((await latchkey(`events retry ${String(position)} ${String(consumer)} --json`)).json()).toEqual({
      retried: 1,
    });
    await settle();
    expect(heard).toEqual(['Paris']);
    const page = await as(await given.administrator()).get('/admin/background');
    expect(page.text).toContain('Try all 2 that were given up again');
    expect((await latchkey('events retry --all --consumer nobody')).code).not.toBe(0);
    expect((await latchkey('events retry --all --json')).json()).toEqual({ retried: 2 });
    await settle();

    expect(heard.sort()).toEqual(['Lyon', 'Nice', 'Paris']);
    expect((await latchkey('events list --json')).json()).toEqual([]);
  });
});
