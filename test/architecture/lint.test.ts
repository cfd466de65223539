import { join } from 'node:path';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { describe, expect, test } from 'vitest';

const eslint = new ESLint({
  cwd: join(import.meta.dirname, '../..'),
  overrideConfig: [
    tseslint.configs.disableTypeChecked,
    { languageOptions: { parserOptions: { projectService: false, project: null } } },
  ],
});

describe('the linter', () => {
  const faults: [code: string, file: string, because: RegExp][] = [
    ['const trx = await knex.transaction();', 'src/tickets/ticket-repository.ts', /callback form/],
    ['const trx = await knex.transaction({ readOnly: true });', 'src/db/database.ts', /callback form/],
    ['const provide = knex.transactionProvider();', 'src/db/database.ts', /db\.transaction/],
    ['const row = tx.knex("a").forUpdate();', 'src/tickets/ticket-repository.ts', /guarded write/],
    ['const port = process.env.PORT;', 'src/http/app.ts', /src\/config\.ts/],
    ["const port = process.env['PORT'];", 'plugins/tag/main.ts', /src\/config\.ts/],
    ["await fetch('https://example.org');", 'src/mail/courier.ts', /src\/outbound/],
    ["await globalThis.fetch('https://example.org');", 'src/mail/courier.ts', /src\/outbound/],
    ["http.request('http://example.org');", 'src/tickets/webhook.ts', /src\/outbound/],
    ["https.get('https://example.org');", 'plugins/tag/main.ts', /src\/outbound/],
  ];

  test.each(faults)('refuses %s in %s', async (code, file, because) => {
    const messages = await complaints(code, file);

    expect(messages.some((message) => because.test(message))).toBe(true);
  });

  const fine: [code: string, file: string][] = [
    ['await knex.transaction(async (trx) => { await trx.raw("x"); });', 'src/db/database.ts'],
    ['const work = this.writer.transaction(run);', 'src/db/database.ts'],
    ['const all = process.env;', 'src/config.ts'],
    ["await fetch('https://example.org');", 'src/outbound/outbound.ts'],
    ['const port = process.env.PORT;', 'test/support/server.ts'],
  ];

  test.each(fine)('lets %s stand in %s', async (code, file) => {
    const messages = await complaints(code, file);

    expect(messages.filter((message) => /callback form|config\.ts|outbound/.test(message))).toEqual([]);
  });
});

async function complaints(code: string, file: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath: file });
  return (result?.messages ?? []).map(({ message }) => message);
}
