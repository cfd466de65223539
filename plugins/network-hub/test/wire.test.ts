import { describe, expect, test } from 'vitest';
import { mint } from '../../../src/crypto/mint.ts';
import { sha256Of } from '../../../src/network/index.ts';
import { keyFor, publish, startHub } from '../../../test/support/two-houses.ts';
import type { TestApp } from '../../../test/support/test-app.ts';
import { langOf } from '../src/wire-routes.ts';

const UID = 'a1B2'.repeat(10);
const agents = {
  'GLPI 9.5': 'GLPI/9.5.5 (installation-mode:TARBALL)',
  'GLPI 10': 'GLPI/10.0.16 (installation-mode:GIT)',
  'GLPI 11': 'GLPI/11.0.4 (installation-mode:DOCKER; somebody)',
  'GLPI 12': 'GLPI/12.0.0 (installation-mode:TARBALL)',
} as const;

interface PluginLine {
  key: string;
  versions: { num: string; download_url: string | null; stability: string; compatibility: string }[];
  required_offers: string[] | null;
}

/** As a GLPI asks: whatever the status, the body is JSON. */
async function ask(
  hub: TestApp,
  path: string,
  {
    key,
    agent = agents['GLPI 11'],
    ...headers
  }: { key?: string; agent?: string; [header: string]: string } = {},
) {
  const shown: Record<string, string> =
    key === undefined ? {} : { 'x-registration-key': key, 'x-glpi-network-uid': UID };
  const answer = await fetch(`${hub.origin}/api/${path}`, {
    redirect: 'manual',
    headers: { accept: 'application/json', 'user-agent': agent, ...shown, ...headers },
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text, json: JSON.parse(text) as unknown };
}

const plugins = async (hub: TestApp, asked: Parameters<typeof ask>[2], root = 'marketplace') =>
  (await ask(hub, `${root}/plugins`, asked)).json as PluginLine[];

/** The loop of GLPI's client: pages of 200 until an empty list, and never more than it could mean. */
async function readAll(hub: TestApp, path: string, key: string): Promise<string[]> {
  const keys: string[] = [];
  for (let from = 0; from < 2_000; from += 200) {
    const { json } = await ask(hub, path, { key, 'x-range': `${String(from)}-${String(from + 199)}` });
    if (!Array.isArray(json)) throw new Error('Not an array');
    if (json.length === 0) return keys;
    keys.push(...(json as PluginLine[]).map((one) => one.key));
  }
  throw new Error('It never ends');
}

describe('on the wire (G10)', () => {
  test('1: the probes answer 200 and something, on every address that a version asks', async () => {
    const hub = await startHub();

    for (const path of ['ping', 'registration', 'registration/'])
      for (const agent of Object.values(agents)) {
        const { status, text } = await ask(hub, path, { agent });
        expect([status, text.length > 0]).toEqual([200, true]);
      }
  });

  test('2: what is said of a key is always 200 with is_valid, owner and subscription, whatever the header holds', async () => {
    const hub = await startHub();
    const key = await keyFor(hub);

    for (const shown of [
      undefined,
      '',
      'x',
      'eyJzaWduYXR1cmUi'.repeat(200),
      mint('lknet_'),
      mint('lkpat_'),
      key,
    ]) {
      const { status, json } = await ask(hub, 'registration/info', shown === undefined ? {} : { key: shown });
      expect(status).toBe(200);
      expect(json).toMatchObject({ is_valid: shown === key });
      expect(Object.keys(json as object)).toEqual(
        expect.arrayContaining(['owner', 'subscription', 'validation_message']),
      );
    }
    expect((await ask(hub, 'registration/info', { key })).json).toMatchObject({
      key,
      owner: { name: 'Example Hospital' },
      subscription: {
        offer_reference: 'network-basic',
        is_running: true,
        begin_date: '2020-01-01',
        end_date: null,
      },
    });
  });

  test('2: the words are in the language of whoever asks', async () => {
    const hub = await startHub();

    const said = async (language: string) =>
      (
        (await ask(hub, 'registration/info', { key: mint('lknet_'), 'accept-language': language })).json as {
          validation_message: string;
        }
      ).validation_message;

    expect(await said('fr')).not.toBe(await said('en'));
    expect(await said('pt')).toBe(await said('en'));
  });

  test('3: the offers are a bare list, asked for without any key, and the free one is not in it', async () => {
    const { status, json } = await ask(await startHub(), 'registration/offers');

    expect(status).toBe(200);
    expect(json).toEqual(
      ['network-basic', 'network-standard', 'network-advanced'].map((reference) => ({
        offer_reference: reference,
        title: expect.any(String) as string,
        features: expect.any(Array) as string[],
      })),
    );
  });

  test('4: the loop of a client ends, for all plugins and for those of a tag', async () => {
    const hub = await startHub();
    const key = await keyFor(hub);
    await publish(hub, 'tag-1', { tags: 'Réseau', compatibility: '~11.0' });
    await publish(hub, 'tag-2', { tags: 'Réseau', compatibility: '~11.0' });
    await publish(hub, 'tag-3', { compatibility: '~11.0' });

    expect(await readAll(hub, 'marketplace/plugins', key)).toEqual(['tag1', 'tag2', 'tag3']);
    expect(await readAll(hub, 'marketplace/tags/reseau/plugin', key)).toEqual(['tag1', 'tag2']);
    expect(await readAll(hub, 'marketplace/tags/nothing/plugin', key)).toEqual([]);
    const page = await ask(hub, 'marketplace/plugins', { key, 'x-range': '1-1' });
    expect(page.headers.get('content-range')).toBe('1-1/3');
    expect(page.headers.get('accept-range')).toBe('3 model');
    expect((await ask(hub, 'marketplace/plugins', { key, 'x-range': '200-399' })).text).toBe('[]');
  });

  test('5: the top tags fall back to English', async () => {
    const hub = await startHub();
    const key = await keyFor(hub);
    await publish(hub, 'tag-1', { tags: 'Network' });

    const { json } = await ask(hub, 'marketplace/tags/top', { key, 'x-lang': 'pt-BR' });
    expect(json).toEqual([{ key: 'network', tag: 'Network', lang: 'en', plugin_count: 1 }]);
    expect(['fr', 'fr-CA', 'en-GB', 'de', '', undefined].map((lang) => langOf(lang))).toEqual([
      'fr',
      'fr',
      'en',
      'en',
      'en',
      'en',
    ]);
  });

  test('6: what an offer does not cover is listed without an address, with every offer that would do', async () => {
    const hub = await startHub();
    const key = await keyFor(hub, 'network-basic');
    await publish(hub, 'tag-1', { offer: 'network-standard', compatibility: '~11.0' });
    await publish(hub, 'tag-2', { compatibility: '~11.0' });

    expect(await plugins(hub, { key })).toMatchObject([
      {
        required_offers: ['network-standard', 'network-advanced'],
        versions: [{ num: '1.0.0', download_url: null, stability: 'stable' }],
      },
      { required_offers: null, versions: [{ download_url: expect.stringContaining(hub.origin) as string }] },
    ]);
    expect(await plugins(hub, { key: mint('lknet_') })).toEqual([]);
  });

  test('7: the bytes themselves ask for the key again', async () => {
    const hub = await startHub();
    const [basic, standard] = [await keyFor(hub, 'network-basic'), await keyFor(hub, 'network-standard')];
    await publish(hub, 'tag-1', { offer: 'network-standard', compatibility: '~11.0' });
    const [line] = await plugins(hub, { key: standard });
    const url = line?.versions[0]?.download_url ?? '';

    const statusWith = async (key?: string): Promise<number> =>
      (await fetch(url, { headers: key === undefined ? {} : { 'x-registration-key': key } })).status;

    expect([await statusWith(standard), await statusWith(basic), await statusWith()]).toEqual([
      200, 403, 403,
    ]);
  });

  test('7: the address ends as an archive is called, since GLPI opens it by that', async () => {
    const hub = await startHub();
    const key = await keyFor(hub);
    const { body } = await publish(hub, 'tag-1', { compatibility: '~11.0' });

    const [line] = await plugins(hub, { key });

    const url = line?.versions[0]?.download_url ?? '';
    expect(url.split('/').at(-1)).toBe('tag1-1.0.0.tgz');
    const fetched = await fetch(url, { headers: { 'x-registration-key': key } });
    expect(sha256Of(Buffer.from(await fetched.arrayBuffer()))).toBe(body['sha256']);
  });

  test('8: the version in the User-Agent decides what is listed; what says nothing of GLPI is not for it', async () => {
    const hub = await startHub();
    const key = await keyFor(hub);
    await publish(hub, 'tag-1', { compatibility: '~10.0' });
    await publish(hub, 'tag-1', { version: '2.0.0', compatibility: '~11.0 | ~12.0' });
    await publish(hub, 'tag-2');

    const seen = async (agent: string) =>
      (await plugins(hub, { key, agent })).map(({ versions }) => versions.map(({ num }) => num));

    expect(await seen(agents['GLPI 9.5'])).toEqual([[], []]);
    expect(await seen(agents['GLPI 10'])).toEqual([['1.0.0'], []]);
    expect(await seen(agents['GLPI 11'])).toEqual([['2.0.0'], []]);
    expect(await seen(agents['GLPI 12'])).toEqual([['2.0.0'], []]);
    expect(await seen('Latchkey/0.1.0')).toEqual([['2.0.0', '1.0.0'], ['1.0.0']]);
  });

  test('9: the counter answers at once, and leads nowhere', async () => {
    const hub = await startHub();
    const key = await keyFor(hub);
    await publish(hub, 'tag-1', { compatibility: '~11.0' });

    for (const path of ['marketplace/plugin/tag1/download/1.0.0', 'glpi-plugins/plugin/tag1/download'])
      expect((await ask(hub, path, { key })).status).toBe(200);
  });

  test('10: GLPI 9.5 finds all of it where it looks, with its lists of favourites', async () => {
    const hub = await startHub();
    const key = await keyFor(hub);
    await publish(hub, 'tag-1', { compatibility: '~9.5', tags: 'Network' });
    const asked = { key, agent: agents['GLPI 9.5'] };

    expect(await plugins(hub, asked, 'glpi-plugins')).toMatchObject([
      { key: 'tag1', versions: [{ num: '1.0.0' }] },
    ]);
    for (const list of ['trending', 'popular', 'new', 'updated'])
      expect((await ask(hub, `glpi-plugins/plugin/${list}`, asked)).json).toEqual([{ key: 'tag1' }]);
    expect((await ask(hub, 'glpi-plugins/tags/top', asked)).json).toMatchObject([{ key: 'network' }]);
  });

  test('11: a cold page of GLPI 10 is let through, and who asks without end is told when to come again', async () => {
    const hub = await startHub();
    const many = (count: number) =>
      Promise.all(Array.from({ length: count }, () => ask(hub, 'registration/offers')));

    expect((await many(60)).every(({ status }) => status === 200)).toBe(true);
    const refused = (await many(260)).find(({ status }) => status === 429);

    expect(refused?.json).toEqual({ message: 'Too Many Attempts.' });
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  test('every field of a plugin has the type that clients read', async () => {
    const hub = await startHub();
    const key = await keyFor(hub);
    await publish(hub, 'tag-1', { compatibility: '~11.0', channel: 'beta' });

    const [line] = await plugins(hub, { key });

    expect(line).toMatchObject({
      id: expect.any(Number) as number,
      key: expect.stringMatching(/^[a-z0-9]+$/) as string,
      name: expect.any(String) as string,
      logo_url: null,
      xml_url: '',
      issues_url: '',
      readme_url: '',
      changelog_url: '',
      license: expect.any(String) as string,
      date_added: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/) as string,
      date_updated: expect.stringMatching(/\.\d{6}Z$/) as string,
      download_count: 0,
      note: 0,
      xml_state: 'passing',
      authors: [{ id: expect.any(Number) as number, name: expect.any(String) as string }],
      descriptions: [
        {
          lang: 'en',
          short_description: expect.any(String) as string,
          long_description: expect.any(String) as string,
        },
      ],
      versions: [{ compatibility: '~11.0', stability: 'beta' }],
      short_description: expect.any(String) as string,
    });
  });
});

describe('a page of the catalogue that was kept', () => {
  test('shows what changed at once, and each helpdesk only what is meant for it', async () => {
    const hub = await startHub();
    const key = await keyFor(hub);
    const owner = hub.as(await hub.given.owner());
    const shown = async (uid = UID, agent = 'Latchkey/0.1.0') => {
      const { json } = await ask(hub, 'network/v1/catalogue', { key, agent, 'x-glpi-network-uid': uid });
      return (json as { items: { releases: { version: string; withdrawn: string | null }[] }[] }).items.map(
        ({ releases }) => releases.map(({ version, withdrawn }) => `${version} ${withdrawn ?? 'listed'}`),
      );
    };
    await publish(hub, 'tag-1');
    expect(await shown()).toEqual([['1.0.0 listed']]);

    await publish(hub, 'tag-1', { version: '1.1.0' });
    expect(await shown()).toEqual([['1.1.0 listed', '1.0.0 listed']]);
    expect(await shown(UID, 'Latchkey/9.0.0')).toEqual([[]]);
    await owner.submit(
      '/admin/hub/plugins/tag-1',
      { kind: 'no-installs', reason: 'Broken' },
      { action: '/admin/hub/plugins/tag-1/1.1.0/withdraw' },
    );
    expect(await shown()).toEqual([['1.1.0 no-installs', '1.0.0 listed']]);
    await owner.submit(
      '/admin/hub/plugins/tag-1',
      { share: '50' },
      { action: '/admin/hub/plugins/tag-1/1.0.0/stage' },
    );
    const uids = Array.from({ length: 30 }, (_, at) => String(at).padStart(40, 'z'));
    const seen = new Set(await Promise.all(uids.map(async (uid) => JSON.stringify(await shown(uid)))));
    expect(seen.size).toBe(2);
  });
});
