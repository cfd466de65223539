import { expect, test } from 'vitest';
import { defineEvent } from '../../src/hooks/index.ts';
import { holdBackground } from '../../src/jobs/index.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import { startTestApp } from '../support/test-app.ts';

const moved = defineEvent<{ to: string }>({ name: 'test.moved', summary: 'It moved.', since: '0.1.0' });

describeOnEachEngine('the page about work in the background', (engine) => {
  test('shows what a plugin could not take, and has it tried again', async () => {
    const { given, as, house, db, settle } = await startTestApp({ engine });
    const { hooks } = house.ground;
    const heard: string[] = [];
    let isDown = true;
    hooks.onEvent('mover', moved, ({ to }) => {
      if (isDown) throw new Error('the van broke down');
      heard.push(to);
    });
    await db.transaction((tx) => hooks.emit(tx, moved, { to: 'Paris' }, { aggregate: 'box:1' }));
    await settle();
    const browser = as(await given.administrator());
    const page = await browser.get('/admin/background');
    expect(page.text).toContain('the van broke down');
    expect(page.text).toContain('mover');

    isDown = false;
    const action = '/admin/background/retry';
    expect((await browser.submitShown(page, {}, { action })).text).toContain('It is tried again');
    await settle();

    expect(heard).toEqual(['Paris']);
    expect((await browser.get('/admin/background')).text).toContain('All is well');
    expect((await browser.submitShown(page, {}, { action })).status).toBe(409);
  });

  test('lets everything go on after a restore, when an administrator says so', async () => {
    const { given, as, db } = await startTestApp({ engine });
    await db.transaction((tx) => holdBackground(tx, { name: 'restore', reason: 'restore', since: 1 }));
    const browser = as(await given.administrator());
    const page = await browser.get('/admin/background');
    expect(page.text).toContain('Nothing leaves the house');

    const released = await browser.submitShown(page, {}, { action: '/admin/background/release' });

    expect(released.text).toContain('Mail, events and jobs go on');
    expect(released.text).not.toContain('Nothing leaves the house');
    expect(await db.knex('background_hold')).toEqual([]);
  });

  test('is not for everybody', async () => {
    const { given, as } = await startTestApp({ engine });

    expect((await as(await given.technician()).get('/admin/background')).status).toBe(403);
  });
});
