import { expect, test } from 'vitest';
import { defineVeto } from '../../src/hooks/index.ts';
import { system } from '../../src/shared/actor.ts';
import { followUpDraft, ticketChange, ticketCreated, ticketDraft } from '../../src/tickets/index.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import { startTestApp } from '../support/test-app.ts';

const mayBoil = defineVeto<{ litres: number }>({
  name: 'kettle.may-boil',
  summary: 'Whether the kettle may be put on.',
  since: '0.1.0',
  failure: 'closed',
  budgetMs: 50,
});

describeOnEachEngine('the pages about hooks', (engine) => {
  test('name every hook, who listens in which order, and who is missing', async () => {
    const { house, as, given } = await startTestApp({ engine });
    const { hooks } = house.ground;
    hooks.declare([mayBoil]);
    hooks.onFilter('tag', ticketDraft, (draft) => draft, { after: ['spelling'] });
    hooks.onFilter('spelling', ticketDraft, (draft) => draft);
    hooks.expectListener('guard', 'kettle.may-boil');
    const browser = as(await given.owner());

    const all = await browser.get('/admin/hooks');
    const one = await browser.get('/admin/hooks/ticket.draft');

    expect(all.text).toContain('spelling → tag');
    expect(all.text).toContain('guard is not running');
    expect(all.text).toContain('Whether the kettle may be put on.');
    expect(one.text.indexOf('spelling')).toBeLessThan(one.text.indexOf('>tag<'));
    expect((await browser.get('/admin/hooks/no.such')).status).toBe(404);
    expect((await browser.get('/dev/playground')).status).toBe(404);
  });

  test('show an administrator who changed what in one request, and nobody else', async () => {
    const { house, as, given } = await startTestApp({ engine });
    const { hooks } = house.ground;
    hooks.onFilter('shout', ticketDraft, (draft) => ({ ...draft, title: draft.title.toUpperCase() }));
    hooks.onFilter('reader', ticketDraft, () => undefined);
    const owner = as(await given.owner());
    const form = { title: 'quiet please', description: 'It is loud.' };

    await owner.submit('/admin/hooks/traces', {}, { action: '/admin/hooks/traces' });
    const page = await owner.get('/tickets/new');
    await owner.submit('/admin/hooks/traces', {}, { action: '/admin/hooks/traces' });
    await owner.submitShown(page, form, { action: '/tickets' });

    await expect.poll(async () => (await owner.get('/admin/hooks/traces')).text).toContain('POST /tickets');
    const list = await owner.get('/admin/hooks/traces');
    const path = /href="(\/admin\/hooks\/traces\/[^"]+)">POST \/tickets</.exec(list.text)?.[1] ?? '';
    const trace = await owner.get(path);
    expect(trace.text).toContain('<del>quiet please</del>');
    expect(trace.text).toContain('<ins>QUIET PLEASE</ins>');
    expect(trace.text).toContain('Left it alone');
    expect((await as(await given.user({ profile: 'super-admin' })).get(path)).status).toBe(404);
    expect((await as(await given.technician()).get(path)).status).toBe(403);
    expect((await as(await given.technician()).get('/admin/hooks/costs')).status).toBe(403);
  });

  test('trace one request only', async () => {
    const { as, given, db } = await startTestApp({ engine });
    const owner = as(await given.owner());

    await owner.submit('/admin/hooks/traces', {}, { action: '/admin/hooks/traces' });
    await owner.get('/tickets');
    await owner.get('/');

    await expect.poll(async () => (await db.knex('hook_trace').select('path')).length).toBe(1);
  });

  test('say what each plugin costs, also in the timing of an administrator’s request and in the metrics', async () => {
    const { house, as, api, given, settle } = await startTestApp({
      engine,
      config: { METRICS_TOKEN: 'a-long-token-for-prometheus' },
    });
    const { hooks } = house.ground;
    hooks.onFilter('slowpoke', ticketDraft, async (draft) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return draft;
    });
    hooks.onEvent('listener', ticketCreated, () => undefined);
    const owner = await given.owner();

    const body = { title: 'A', description: 'B' };
    const answer = await api(owner).call('POST', '/api/v1/tickets', body);
    await given.ticket();
    await settle();
    house.plugins.memory.take();
    house.plugins.memory.began({ id: 'newcomer', version: '1.2.3' });

    expect(answer.headers['server-timing']).toMatch(
      /^total;dur=[\d.]+, .*slowpoke;dur=[\d.]+;desc="1 calls"/,
    );
    const plain = await api(await given.technician()).call('GET', '/api/v1/me');
    expect(plain.headers['server-timing']).toBeUndefined();
    const page = await as(owner).get('/admin/hooks/costs');
    expect(page.text).toContain('slowpoke');
    expect(page.text).toContain('<code>ticket.created</code>');
    expect(page.text).toContain('newcomer <span class="quiet">1.2.3</span>');
    expect(hooks.costs().find(({ owner: one }) => one === 'slowpoke')).toMatchObject({
      kind: 'filter',
      calls: 2,
      faults: 0,
    });
  });
});

describeOnEachEngine('the trail of a ticket', (engine) => {
  test('says which plugin changed what of it, for those who manage plugins', async () => {
    const { house, as, given } = await startTestApp({ engine });
    const { hooks } = house.ground;
    hooks.onFilter('shout', ticketDraft, (draft) => ({ ...draft, title: draft.title.toUpperCase() }));
    hooks.onFilter('sign', followUpDraft, (said) => ({ ...said, body: `${said.body} (sent by Ada)` }));
    hooks.onFilter('calm', ticketChange, (change) => ({ ...change, urgency: 2 as const }));
    const { ticket, requester } = await given.ticket({ title: 'loud' });
    const [owner, asker] = [as(await given.owner()), as(requester)];
    const { tickets } = house.domains.tickets;
    const page = `/tickets/${String(ticket.number)}`;

    await asker.submit(page, { body: 'Hello?' }, { action: `${page}/follow-ups` });
    await tickets.changeNow(system, ticket.number, { urgency: 5 });

    const shown = await owner.get(`${page}/trail`);
    expect((await owner.get(page)).text).toContain(`${page}/trail`);
    for (const text of [
      '<del>loud</del>',
      '<ins>LOUD</ins>',
      '<ins>Hello? (sent by Ada)</ins>',
      '<ins>2</ins>',
    ])
      expect(shown.text).toContain(text);
    expect((await asker.get(`${page}/trail`)).status).toBe(403);
    expect((await asker.get(page)).text).not.toContain(`${page}/trail`);
  });
});
