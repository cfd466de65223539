import { FormData } from 'undici';
import { expect, test } from 'vitest';
import { newKeyPair } from '../../src/network/index.ts';
import { minutes } from '../support/clock.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import type { HttpClient } from '../support/http-client.ts';
import { startTestApp } from '../support/test-app.ts';
import { packageOf, sayingVersion } from './packages.ts';

const NEW = '/admin/plugin-packages/new';
const PUBLISHERS = '/admin/plugin-publishers';

describeOnEachEngine('the pages for packages', (engine) => {
  test('bring a plugin in, update it, go back, and take it out', { timeout: 60_000 }, async () => {
    const { as, given, guest } = await startTestApp({ engine });
    const owner = as(await given.owner());
    const answer = async (): Promise<string> => (await guest().get('/p/parcel')).text;

    for (const version of ['1.0.0', '2.0.0']) {
      const uploaded = await upload(
        owner,
        await packageOf('parcel', version, { files: sayingVersion(version) }),
      );
      const path = String(uploaded.headers['location']);
      const undecided = await owner.submit(path, {}, { action: path });
      expect(undecided.text).toContain('is not signed by a publisher you trust');
      const used = await owner.submit(path, { unsigned: 'yes' }, { action: path });
      expect(used.text).toContain(`parcel runs in version ${version}`);
      expect(await answer()).toBe(`version ${version}`);
    }
    const back = await owner.submit(
      '/admin/plugins/parcel',
      {},
      { action: '/admin/plugins/parcel/rollback' },
    );
    expect(back.text).toContain('parcel runs in version 1.0.0.');
    expect(await answer()).toBe('version 1.0.0');

    const out = '/admin/plugins/parcel/uninstall';
    const gone = await owner.submit(out, { data: 'purge' }, { action: out });
    expect(gone.text).toContain('parcel is uninstalled.');
    expect((await guest().get('/p/parcel')).status).toBe(404);
  });

  test('say what is wrong with a package, and are closed to whoever may not manage plugins', async () => {
    const { as, given, house } = await startTestApp({ engine });
    const owner = as(await given.owner());

    const refused = await upload(owner, Buffer.from('this is no package'));

    expect(refused.status).toBe(422);
    expect(refused.text).toContain('This package cannot be used');
    for (const profile of ['technician', 'administrator']) {
      const person = as(await given.user({ profile }));
      expect((await person.get(NEW)).status).toBe(403);
      expect((await person.post('/admin/plugins/registration-key/uninstall', { data: 'purge' })).status).toBe(
        403,
      );
      for (const path of [
        '/admin/plugins/registration-key/rollback',
        '/admin/plugins/registration-key/settle',
      ])
        expect((await person.post(path, {})).status).toBe(403);
      expect((await person.get(PUBLISHERS)).status).toBe(403);
      expect((await person.post(PUBLISHERS, { name: 'Me', key: newKeyPair().publicKey })).status).toBe(403);
      expect((await person.post(`${PUBLISHERS}/0123/remove`, {})).status).toBe(403);
    }
    expect(await house.ground.db.knex('plugin_release')).toEqual([]);
  });

  test('keep a list of the publishers whose signatures are believed', async () => {
    const { as, given } = await startTestApp({ engine });
    const owner = as(await given.owner());
    const add = (key: string): ReturnType<HttpClient['submit']> =>
      owner.submit(PUBLISHERS, { name: 'Parcel & Sons', key }, { action: PUBLISHERS });

    expect((await add('no key at all')).text).toContain('This is no public key');
    const shown = await add(newKeyPair().publicKey);
    expect(shown.text).toContain('Packages signed by Parcel &amp; Sons are trusted from now on.');
    const [, remove = ''] = /action="(\/admin\/plugin-publishers\/[0-9a-f]+\/remove)"/.exec(shown.text) ?? [];

    const emptied = await owner.submit(PUBLISHERS, {}, { action: remove });
    expect(emptied.text).toContain('No publisher is trusted yet');
  });

  test('ask for the password again before any code comes in', async () => {
    const { as, given, clock } = await startTestApp({ engine });
    const owner = as(await given.owner());
    await owner.get('/admin/plugins');
    clock.advance(minutes(20));

    expect((await owner.get(NEW)).url).toContain('/confirm-identity');
  });
});

async function upload(browser: HttpClient, packed: Buffer): ReturnType<HttpClient['upload']> {
  const shown = await browser.get(NEW);
  const form = new FormData();
  form.set('_csrf', /name="_csrf" value="([^"]+)"/.exec(shown.text)?.[1] ?? '');
  form.set('package', new Blob([new Uint8Array(packed)]), 'parcel.tgz');
  return browser.upload('/admin/plugin-packages', form);
}
