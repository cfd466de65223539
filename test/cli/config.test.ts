import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openShell } from './shell.ts';

const SECRET = 'mysql://latchkey:hunter2hunter2@127.0.0.1/latchkey';

interface Line {
  variable: string;
  value: string;
  source: string;
}

describe('the configuration on the command line', () => {
  test('is printed with the source of each value and without secrets', async () => {
    const { latchkey, dataDir } = await openShell({
      LATCHKEY_DATABASE_URL: SECRET,
      LATCHKEY_PORT: '4000',
    });
    await writeFile(join(dataDir, 'token'), 'metrics-token-of-sixteen\n');

    const printed = await latchkey('config print --json', {
      env: { LATCHKEY_METRICS_TOKEN_FILE: join(dataDir, 'token') },
    });

    const lines = printed.json() as Line[];
    const lineOf = (name: string): Line | undefined => lines.find(({ variable }) => variable === name);
    expect(printed.code).toBe(0);
    expect(lineOf('LATCHKEY_PORT')).toEqual({
      variable: 'LATCHKEY_PORT',
      value: '4000',
      source: 'environment',
    });
    expect(lineOf('LATCHKEY_DATABASE_URL')).toMatchObject({ value: '(set)', source: 'environment' });
    expect(lineOf('LATCHKEY_METRICS_TOKEN')).toMatchObject({ value: '(set)', source: 'file' });
    expect(lineOf('LATCHKEY_HOST')).toMatchObject({ value: '127.0.0.1', source: 'default' });
    expect(printed.out).not.toMatch(/hunter2|metrics-token/);
  });

  test('is refused with every complaint at once, and exit code 78', async () => {
    const { latchkey } = await openShell();

    const checked = await latchkey('config check', {
      env: {
        LATCHKEY_PORT: 'eighty',
        LATCHKEY_BASE_URL: 'desk.example.org',
        LATCHKEY_SMTP_URL: 'smtp://mail.example.org',
        LATCHKEY_PROT: '3000',
        LATCHKEY_KEY: 'x'.repeat(32),
        LATCHKEY_KEY_FILE: '/nowhere',
        LATCHKEY_METRICS_TOKEN_FILE: '/nowhere/either',
      },
    });

    expect(checked.code).toBe(78);
    for (const name of ['PORT', 'BASE_URL', 'MAIL_FROM', 'PROT', 'KEY', 'METRICS_TOKEN_FILE'])
      expect(checked.err).toContain(`LATCHKEY_${name}`);
    expect(checked.err).toContain('both set');
    expect(checked.err).toContain('LATCHKEY_PROT is not a variable of Latchkey');
    expect(checked.err).not.toContain('x'.repeat(32));
  });

  test('takes an empty variable for one that is not there', async () => {
    const { latchkey, dataDir } = await openShell();
    await writeFile(join(dataDir, 'token'), 'metrics-token-of-sixteen');

    const checked = await latchkey('config check', {
      env: {
        LATCHKEY_BASE_URL: '',
        LATCHKEY_METRICS_TOKEN: '',
        LATCHKEY_METRICS_TOKEN_FILE: join(dataDir, 'token'),
      },
    });

    expect(checked).toMatchObject({ code: 0, err: '' });
  });

  test('is said to be well when it is', async () => {
    const { latchkey } = await openShell();

    const checked = await latchkey('config check --json');

    expect(checked).toMatchObject({ code: 0 });
    expect(checked.json()).toEqual({ ok: true });
  });

  test('stops every other command with 78 before anything is opened', async () => {
    const { latchkey, dataDir } = await openShell({ LATCHKEY_PORT: '70000' });

    const listed = await latchkey('user list');

    expect(listed.code).toBe(78);
    expect(listed.err).toContain('LATCHKEY_PORT');
    await expect(writeFile(join(dataDir, 'key'), '', { flag: 'wx' })).resolves.toBeUndefined();
  });
});
