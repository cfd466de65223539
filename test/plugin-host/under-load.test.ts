import { expect, test } from 'vitest';
import { system } from '../../src/shared/actor.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import { startTestApp } from '../support/test-app.ts';
import { packageOf, sayingVersion } from './packages.ts';

const PEOPLE = 6;
const pages = ['/', '/join', '/healthz', '/tickets'];

describeOnEachEngine('while people use the helpdesk', (engine) => {
  test(
    'a plugin is put in, out, updated and taken back, and no request fails but its own',
    { timeout: 120_000 },
    async () => {
      const { house, guest, as, given } = await startTestApp({ engine });
      const { installer, plugins } = house;
      for (const version of ['1.0.0', '2.0.0']) {
        await installer.stage(system, await packageOf('parcel', version, { files: sayingVersion(version) }));
      }
      const browsers = [as(await given.owner()), ...Array.from({ length: PEOPLE - 1 }, () => guest())];
      const own = new Set<string>();
      const failures: string[] = [];
      const sent = { requests: 0 };
      const turn = new AbortController();
      const load = browsers.map(async (browser) => {
        for (let at = 0; !turn.signal.aborted; at += 1) {
          const path = pages[at % pages.length] ?? '/healthz';
          const { status } = await browser.get(path);
          sent.requests += 1;
          if (status >= 400) failures.push(`${String(status)} ${path}`);
          const answer = await browser.get('/p/parcel');
          own.add(answer.status === 200 ? answer.text : String(answer.status));
        }
      });

      const everybodyHasAsked = async (): Promise<void> => {
        const until = sent.requests + 2 * browsers.length;
        await expect.poll(() => sent.requests, { timeout: 30_000 }).toBeGreaterThan(until);
      };
      await installer.use(system, 'parcel', '1.0.0');
      await everybodyHasAsked();
      own.clear();
      for (let round = 0; round < 3; round += 1) {
        await installer.use(system, 'parcel', '2.0.0');
        await installer.rollback(system, 'parcel');
      }
      await everybodyHasAsked();
      const whileUpdated = [...own].sort();
      for (let round = 0; round < 3; round += 1) {
        await plugins.disable(system, 'parcel');
        await plugins.enable(system, 'parcel');
      }
      turn.abort();
      await Promise.all(load);

      expect(failures).toEqual([]);
      expect(sent.requests).toBeGreaterThan(20);
      expect(whileUpdated).toEqual(['version 1.0.0', 'version 2.0.0']);
    },
  );
});
