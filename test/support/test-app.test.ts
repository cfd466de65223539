import { expect, test } from 'vitest';
import { describeOnEachEngine } from './databases.ts';
import { startTestApp } from './test-app.ts';

describeOnEachEngine('the test app', (engine) => {
  test('lets a person in by browser and by program, and a stranger by neither', async () => {
    const { as, api, request, given } = await startTestApp({ engine });
    const technician = await given.technician();

    expect((await as(technician).send('/notifications', { method: 'GET' })).status).toBe(200);
    expect((await api(technician).call('GET', '/api/v1/notifications')).status).toBe(200);
    await request()
      .get('/notifications')
      .expect(303)
      .expect('location', /^\/login/);
    await request()
      .get('/api/v1/notifications')
      .expect(401)
      .expect('content-type', /problem\+json/);
  });

  test('leaves nothing to the next one', async () => {
    const { given, house } = await startTestApp({ engine });

    const person = await given.user({ email: 'person1@example.org' });

    expect(await house.domains.users.findByEmail('person1@example.org')).toMatchObject({ id: person.id });
  });

  test('leaves nothing to the next one (again)', async () => {
    const { house } = await startTestApp({ engine });

    expect(await house.domains.users.findByEmail('person1@example.org')).toBeNull();
  });
});
