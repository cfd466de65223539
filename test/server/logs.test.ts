import { expect, test } from 'vitest';
import { mint } from '../../src/crypto/mint.ts';
import { group, normalise, tokenKinds, type TokenPrefix } from '../../src/crypto/tokens.ts';
import { MASTER_KEY } from '../cli/shell.ts';
import { freshDatabase } from '../support/databases.ts';
import { startServer } from '../support/server.ts';

const prefixes = Object.keys(tokenKinds) as TokenPrefix[];

/** A secret as people and programs carry it. */
const waysToWrite = (token: string): string[] => [
  token,
  token.toLowerCase(),
  token.replace('_', '%5F'),
  group(token),
  `${token.split('_', 1)[0] ?? ''}_${group(token)}`,
];

test(
  'a server logs every request with its id, and no secret wherever it stood',
  { timeout: 180_000 },
  async () => {
    const { url } = await freshDatabase('sqlite');
    const server = await startServer({
      databaseUrl: url,
      env: { LATCHKEY_KEY: MASTER_KEY, LATCHKEY_LOG_LEVEL: 'trace' },
    });
    const tokens = prefixes.map((prefix) => mint(prefix));
    const ids: string[] = [];
    const send = async (path: string, init: RequestInit = {}): Promise<void> => {
      const answer = await fetch(`${server.url}${path}`, { redirect: 'manual', ...init });
      await answer.text();
      ids.push(answer.headers.get('x-request-id') ?? '');
    };

    for (const written of tokens.flatMap(waysToWrite)) {
      await send(`/join/${written}`);
      await send(`/setup/${written}?token=${written}`);
      await send(`/nowhere/${written}/`, {
        headers: { cookie: `latchkey=${written}`, referer: `${server.url}/join/${written}` },
      });
      await send('/api/v1/tickets', {
        headers: { authorization: `Bearer ${written}`, 'user-agent': written, 'x-key': written },
      });
      await send('/api/v1/invitation-keys/check', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ key: written }),
      });
      await send('/api/v1/join', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: `{"key":"${written}",`,
      });
      await send('/login', {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', origin: server.url },
        body: new URLSearchParams({ email: written, password: written }),
      });
    }
    await server.stop();

    const log = server.logs.join('\n');
    const lines = server.logs
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as { requestId?: string; msg?: string });
    const logged = new Set(lines.filter(({ msg }) => msg === 'request').map(({ requestId }) => requestId));
    expect(ids.every((id) => /^\w{8}$/.test(id))).toBe(true);
    expect(ids.filter((id) => !logged.has(id))).toEqual([]);
    for (const token of tokens) {
      const symbols = normalise(token);
      const inGroups = group(token);
      for (const piece of [
        symbols.slice(0, 12),
        symbols.slice(-12),
        inGroups.slice(0, 14),
        inGroups.slice(-14),
      ]) {
        expect(log.toUpperCase().includes(piece), `${token.slice(0, 6)} left ${piece} in the log`).toBe(
          false,
        );
      }
    }
  },
);
