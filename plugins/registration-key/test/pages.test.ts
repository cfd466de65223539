import { unescapeHtml } from '../../../test/support/http-client.ts';
import { describe, expect, test } from 'vitest';
import { startTestApp } from '../../../test/support/test-app.ts';

describe('the pages of an administrator', () => {
  for (const locale of ['en', 'fr'] as const) {
    test(`can all be read in ${locale}`, async () => {
      const { given, as } = await startTestApp();
      const admin = as(await given.administrator({ locale }));
      const { id } = await given.invitationKey({ label: 'Paris office', expiresAt: '2030-01-01T00:00:00Z' });

      const pages = [
        '/invitation-keys',
        '/invitation-keys?tab=all&q=paris',
        '/invitation-keys/new',
        '/invitation-keys/new?kind=person',
        '/invitation-keys/new?kind=event',
        `/invitation-keys/${id}`,
        `/invitation-keys/${id}/edit`,
        `/invitation-keys/${id}/revoke`,
        `/invitation-keys/${id}/preview`,
        '/invitation-keys/approvals',
        '/invitation-keys/unconfirmed',
        '/invitation-keys/explain?code=ABCD-X',
      ];
      for (const path of pages) {
        const page = await admin.get(path);
        expect({ path, status: page.status }).toEqual({ path, status: 200 });
        expect(
          page.text.match(
            /registration-key:[\w.-]+|\b(?:list|detail|sentence|join|form|field|errors)\.[a-z][\w.-]+\b(?=<)/g,
          ) ?? [],
        ).toEqual([]);
      }
    });
  }

  test('lead from the first visit to the first invitation in one click', async () => {
    const app = await startTestApp();
    const admin = app.as(await app.given.owner());

    expect((await admin.get('/welcome')).text).toContain('href="/invitation-keys/new"');
    const list = unescapeHtml((await admin.get('/invitation-keys')).text);
    expect(list).toContain('href="/invitation-keys/new?kind=team"');
    for (const path of ['rounds', 'presets', 'steps', 'overview', 'tree', 'explain', 'purge'])
      expect(list, path).toContain(`href="/invitation-keys/${path}"`);
  });

  test('ask of a key that is there only what can still be changed', async () => {
    const app = await startTestApp();
    const { id } = await app.given.invitationKey({ maxUses: 5 });
    const admin = app.as(await app.given.administrator());
    const path = `/invitation-keys/${id}/edit`;

    const form = await admin.get(path);
    const wide = { unlimited: 'true', expires: 'never' };
    const asked = await admin.submit(path, wide, { action: path });
    const done = await admin.submit(path, { ...wide, understood: 'true' }, { action: path });

    for (const field of ['customKey', 'showOnce', 'entity', 'reuse', 'count'])
      expect(form.text, field).not.toContain(`name="${field}"`);
    expect(asked.status).toBe(422);
    expect(asked.text).toContain('error-understood');
    expect(new URL(done.url).pathname).toBe(`/invitation-keys/${id}`);
  });

  test('lead from the form to the link, shown to nobody else', async () => {
    const { given, as } = await startTestApp();
    const admin = as(await given.administrator());

    const made = await admin.submit(
      '/invitation-keys/new',
      { label: 'Lyon', maxUses: '25', domains: '@acme.test', step: 'mint' },
      { action: '/invitation-keys' },
    );

    expect(made.status).toBe(200);
    expect(made.text).toMatch(/\/join\/lkinv_[0-9A-Z]{32}/);
    expect(made.text).toContain('<svg viewBox="0 0');
    const other = as(await given.administrator());
    const elsewhere = await other.get(new URL(made.url).pathname);
    expect(elsewhere.text).not.toMatch(/lkinv_[0-9A-Z]{32}/);
  });
});
