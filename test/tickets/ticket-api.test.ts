import { expect, test } from 'vitest';
import type { z } from 'zod';
import {
  categoriesSchema,
  ticketPageSchema,
  ticketSchema,
  timelineSchema,
} from '../../src/tickets/ticket-api-schemas.ts';
import { days } from '../support/clock.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import type { Person } from '../support/given.ts';
import { HttpClient, type Answer } from '../support/http-client.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

/** The answer is what the documentation promises, no field more and none less. */
function expectShape(answer: Answer, schema: z.ZodObject, status = 200): void {
  expect(answer.status, answer.text).toBe(status);
  expect(schema.strict().safeParse(answer.json()).error?.issues ?? []).toEqual([]);
}

async function withScopes(
  { house, origin, clock }: TestApp,
  { id }: Person,
  scopes: string[],
): Promise<HttpClient> {
  const { accessTokens, directory } = house.domains;
  const actor = await directory.actorById(id);
  if (!actor) throw new Error('Nobody has this id');
  const { secret } = await accessTokens.create(actor, id, {
    name: 't',
    scopes,
    expiresAt: clock.now() + days(1),
  });
  const program = new HttpClient(origin);
  program.headers.set('authorization', `Bearer ${secret}`);
  return program;
}

describeOnEachEngine('a program', (engine) => {
  test('opens, reads, changes and answers tickets, and gets what is promised', async () => {
    const app = await startTestApp({ engine });
    const owner = app.api(await app.given.owner());

    const opened = await owner.call('POST', '/api/v1/tickets', {
      title: 'No heating',
      urgency: 5,
      impact: 4,
    });
    expectShape(opened, ticketSchema, 201);
    const path = String(opened.headers['location']);
    expectShape(await owner.call('GET', path), ticketSchema);
    expectShape(await owner.call('PATCH', path, { version: 1, status: 'pending' }), ticketSchema);
    expectShape(await owner.call('POST', `${path}/follow-ups`, { body: 'Soon.' }), ticketSchema, 201);
    expectShape(await owner.call('POST', `${path}/solutions`, { body: 'Warm.' }), ticketSchema, 201);
    expectShape(await owner.call('GET', '/api/v1/tickets'), ticketPageSchema);
    expectShape(await owner.call('GET', `${path}/timeline`), timelineSchema);
    expectShape(await owner.call('GET', '/api/v1/categories'), categoriesSchema);
    expect((await owner.call('GET', path)).json()).toMatchObject({
      status: 'solved',
      priority: 5,
      version: 4,
    });
  });

  test('is told what was wrong, field by field', async () => {
    const app = await startTestApp({ engine });
    const owner = app.api(await app.given.owner());

    const answer = await owner.call('POST', '/api/v1/tickets', { title: ' ', urgency: 9, colour: 'red' });

    expect(answer.status).toBe(400);
    const problem = answer.json() as { code: string; errors: { field: string; code: string }[] };
    expect(problem.errors.map(({ field }) => field)).toEqual(expect.arrayContaining(['title', 'urgency']));
    const stale = await owner.call('PATCH', '/api/v1/tickets/1', { version: 1, title: 'x' });
    expect(stale.status).toBe(404);
  });

  test('cannot upset the house with anything in any field', async () => {
    const app = await startTestApp({ engine });
    const owner = app.api(await app.given.owner());
    const requester = await app.given.user();
    const strange: unknown[] = [null, 0, true, [], {}, '', ' ', '__proto__', { toString: 1 }, '😀', 1e300];

    for (const value of strange) {
      const { ticket } = await app.given.ticket({ requester });
      const path = `/api/v1/tickets/${String(ticket.number)}`;
      for (const field of [
        'title',
        'description',
        'categoryId',
        'status',
        'urgency',
        'requesterId',
        'observers',
        'assignees',
        'version',
      ]) {
        const answer = await owner.call('PATCH', path, { version: 1, [field]: value });
        expect(answer.status, `${field}: ${answer.text}`).toBeLessThan(500);
      }
      for (const field of ['body', 'visibility', 'status', 'attachments', 'version']) {
        const answer = await owner.call('POST', `${path}/follow-ups`, { body: 'x', [field]: value });
        expect(answer.status, `${field}: ${answer.text}`).toBeLessThan(500);
      }
    }
  });

  test('may do no more than its token says', async () => {
    const app = await startTestApp({ engine });
    const technician = await app.given.technician();
    const { ticket } = await app.given.ticket();
    const path = `/api/v1/tickets/${String(ticket.number)}`;
    const reader = await withScopes(app, technician, ['tickets:read']);
    const other = await withScopes(app, technician, ['users:read']);

    expect((await reader.call('GET', path)).status).toBe(200);
    expect((await reader.call('POST', `${path}/follow-ups`, { body: 'Hello' })).status).toBe(403);
    expect((await other.call('GET', path)).status).toBe(403);
    expect((await app.guest().call('GET', path)).status).toBe(401);
  });
});
