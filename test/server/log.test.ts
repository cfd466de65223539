import { expect, test } from 'vitest';
import { mint } from '../../src/crypto/mint.ts';
import { redact } from '../../src/crypto/tokens.ts';
import { createLog } from '../../src/log.ts';

test('a line of the log has no secret, whoever wrote it and in whatever it stood', () => {
  const lines: string[] = [];
  const log = createLog({ level: 'trace', redact, destination: { write: (line) => void lines.push(line) } });
  const key = mint('lkinv_');
  const error = new Error(`Nobody knows ${key}`, { cause: new Error(key) });

  log.info(`Somebody came with ${key}`);
  log.warn({ key, deep: { list: [key] } }, 'With fields');
  log.error({ error }, 'With an error');
  log.child({ key }).debug('From a child');

  expect(lines).toHaveLength(4);
  expect(lines.join('\n')).not.toContain(key.slice(6));
  expect(lines.every((line) => line.includes('[redacted]'))).toBe(true);
});
