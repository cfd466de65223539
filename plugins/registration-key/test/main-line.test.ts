import { expect, test } from 'vitest';
import { describeOnEachEngine } from '../../../test/support/databases.ts';
import { startTestApp } from '../../../test/support/test-app.ts';

const PASSWORD = 'four quiet words here';

describeOnEachEngine('an invitation key', (engine) => {
  test('lets a newcomer in, from the link to the first ticket', async () => {
    const { given, guest, api } = await startTestApp({ engine });
    const { id, key } = await given.invitationKey({ label: 'Paris office' });
    const phone = guest();

    const opened = await phone.send(`/join/${key}`, { method: 'GET' });
    const form = await phone.get(String(opened.headers['location']));
    const welcome = await phone.submitShown(form, {
      email: 'jo@acme.test',
      name: 'Jo Martin',
      password: PASSWORD,
    });

    expect(opened).toMatchObject({ status: 303, headers: { 'referrer-policy': 'no-referrer' } });
    expect(opened.headers['location']).not.toContain(key);
    expect(form.text).toContain('Create my account');
    expect(new URL(welcome.url).pathname).toBe('/tickets/new');
    const owner = api(await given.owner());
    const redemptions = await owner.call('GET', `/api/v1/invitation-keys/${id}/redemptions`);
    expect(redemptions.json()).toMatchObject({
      total: 1,
      items: [{ name: 'Jo Martin', status: 'active', seat: 1 }],
    });
  });
});
