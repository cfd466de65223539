import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { describeOnEachEngine } from '../../../test/support/databases.ts';
import { startTestApp } from '../../../test/support/test-app.ts';
import { ThisTurn } from '../src/keys/this-turn.ts';

describe('a row that many ask for in one turn of the event loop', () => {
  test('is read once, and read again in the next', async () => {
    let reads = 0;
    const turn = new ThisTurn(() => Promise.resolve((reads += 1)));

    expect(await Promise.all([turn.find('a'), turn.find('a'), turn.find('a')])).toEqual([1, 1, 1]);
    await nextTurn();
    expect(await turn.find('a')).toBe(2);
  });

  test('is not taken for another', async () => {
    const turn = new ThisTurn((id) => Promise.resolve(id));

    expect(await Promise.all([turn.find('a'), turn.find('b')])).toEqual(['a', 'b']);
  });
});

describeOnEachEngine('an invitation that is opened all the time', (engine) => {
  test('a phone that asks after the revocation was answered never sees the key alive', async () => {
    const app = await startTestApp({ engine });
    const { id, url } = await app.given.invitationKey({ maxUses: 100 });
    const owner = app.api(await app.given.owner());
    const phone = app.guest();
    const open = await phone.get(new URL(url).pathname);
    const page = new URL(open.url);
    expect(open.status).toBe(200);

    const over = new AbortController();
    const others = (async () => {
      while (!over.signal.aborted) await phone.get(page.pathname + page.search);
    })();
    await owner.call('POST', `/api/v1/invitation-keys/${id}/revoke`, {});
    const after = await phone.get(page.pathname + page.search);
    over.abort();
    await others;

    expect(after.status).toBe(410);
  });
});
