import { describe, expect, test } from 'vitest';
import { latchkey } from '../../../test/support/command-line.ts';
import { startTestApp, type TestApp } from '../../../test/support/test-app.ts';
import { hoursFrom, momentFrom } from '../src/commands.ts';
import { joinByApi, keyOf, somebody } from './desk.ts';

const now = Date.parse('2026-03-02T09:00:00Z');

describe('the command line', () => {
  test('understands spans and moments', () => {
    expect(['7d', '12h', '30m'].map((said) => momentFrom('expires', said, now))).toEqual([
      now + 7 * 86_400_000,
      now + 12 * 3_600_000,
      now + 30 * 60_000,
    ]);
    expect(momentFrom('expires', 'never', now)).toBeNull();
    expect(momentFrom('expires', undefined, now)).toBeUndefined();
    expect(momentFrom('expires', '2026-04-01T08:00:00+02:00', now)).toBe(Date.parse('2026-04-01T06:00:00Z'));
    expect(() => momentFrom('expires', 'tomorrow', now)).toThrow();
    expect(hoursFrom('1-3,5 08:00-18:00 Europe/Paris')).toEqual({
      days: [1, 2, 3, 5],
      from: '08:00',
      to: '18:00',
      timeZone: 'Europe/Paris',
    });
    expect(() => hoursFrom('weekdays')).toThrow();
  });

  test('makes a key that works, shows it, pauses and revokes it, and all of it is on record', async () => {
    const app = await startTestApp();
    const run = commandLineOf(app);

    const made = (await run(
      'invite create --label Lobby --max-uses 10 --expires 7d --profile self-service --email-proof none',
    )) as Made;
    const joined = await joinByApi(app, made.key, somebody());
    const listed = (await run('invite list')) as object[];
    const shown = await run(`invite show ${made.id}`);
    const again = (await run(`invite reveal ${made.id}`)) as Made;
    const rotated = (await run(`invite rotate ${made.id}`)) as Made;
    await run(`invite pause ${made.id}`);
    await run(`invite resume ${made.id}`);
    await run(`invite revoke ${made.id}`);

    expect(Object.keys(made)).toEqual(['id', 'key', 'url']);
    expect(made.url).toBe(`${app.origin}/join/${made.key}`);
    expect(joined.status).toBe(201);
    expect(listed).toMatchObject([{ id: made.id, label: 'Lobby', uses: 1 }]);
    expect(JSON.stringify([listed, shown])).not.toContain(made.key);
    expect(again.key).toBe(made.key);
    expect(rotated.key).not.toBe(made.key);
    expect(await keyOf(app, made.id)).toMatchObject({
      status: 'revoked',
      createdBy: expect.stringContaining('cli:') as string,
    });
  }, 120_000);
});

interface Made {
  id: string;
  key: string;
  url: string;
}

const commandLineOf =
  (app: TestApp) =>
  (words: string): Promise<unknown> =>
    latchkey(words.split(' '), {
      LATCHKEY_DATABASE_URL: app.databaseUrl,
      LATCHKEY_KEY: 'a'.repeat(64),
      LATCHKEY_BASE_URL: app.origin,
      LATCHKEY_LOG_LEVEL: 'silent',
      LATCHKEY_DATA_DIR: app.house.ground.config.dataDir,
    });
