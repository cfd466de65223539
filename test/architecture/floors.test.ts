import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { cruise, type ICruiseOptions, type ICruiseResult, type IFlattenedRuleSet } from 'dependency-cruiser';
import { describe, expect, inject, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const { forbidden, options } = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as {
  forbidden: IFlattenedRuleSet['forbidden'];
  options: ICruiseOptions;
};

type House = Record<string, string>;

const sound: House = {
  'package.json':
    '{ "name": "latchkey", "type": "module", "exports": { "./plugin-api": "./src/plugin-api.ts" } }',
  'src/shared/errors.ts': 'export const refuse = (): void => undefined;',
  'src/db/database.ts': "import { refuse } from '../shared/errors.ts';\nexport const db = refuse;",
  'src/audit/index.ts': "export { audit } from './audit-service.ts';",
  'src/audit/audit-service.ts': "import { db } from '../db/database.ts';\nexport const audit = db;",
  'src/tickets/index.ts': "export { ticket } from './ticket-service.ts';",
  'src/tickets/ticket-service.ts': "import { audit } from '../audit/index.ts';\nexport const ticket = audit;",
  'src/plugin-api.ts': "export { refuse } from './shared/errors.ts';",
  'plugins/tag/main.ts': "import { refuse } from 'latchkey/plugin-api';\nexport default refuse;",
  'plugins/other/main.ts': 'export default 1;',
  'test/support/given.ts': 'export const given = 1;',
};

describe('the floors', () => {
  test('let a sound house stand', async () => {
    expect(await faultsOf({})).toEqual([]);
  });

  const faults: [what: string, rule: string, planted: House][] = [
    [
      'an import that looks up',
      'floor-0-looks-down-only',
      { 'src/shared/errors.ts': "export { db as refuse } from '../audit/index.ts';" },
    ],
    [
      'a type that looks up',
      'floor-1-looks-down-only',
      {
        'src/db/database.ts':
          "import type { audit } from '../audit/index.ts';\nexport const db = 1 as unknown as typeof audit;",
      },
    ],
    [
      'a domain that knows a later one',
      'audit-knows-no-later-domain',
      { 'src/audit/audit-service.ts': "export { ticket as audit } from '../tickets/index.ts';" },
    ],
    [
      'a back door',
      'domains-have-front-doors',
      { 'src/tickets/ticket-service.ts': "export { audit as ticket } from '../audit/audit-service.ts';" },
    ],
    [
      'a cycle',
      'no-cycles',
      {
        'src/tickets/a.ts': "import type { B } from './b.ts';\nexport interface A { b: B }",
        'src/tickets/b.ts': "import type { A } from './a.ts';\nexport interface B { a: A }",
      },
    ],
    [
      'a plugin that reaches into core',
      'plugins-know-one-module',
      { 'plugins/tag/main.ts': "export { db as default } from '../../src/db/database.ts';" },
    ],
    [
      'a plugin that reaches into another',
      'plugins-know-one-module',
      { 'plugins/tag/main.ts': "export { default } from '../other/main.ts';" },
    ],
    [
      'a plugin that opens files',
      'plugins-leave-the-machine-alone',
      { 'plugins/tag/main.ts': "export { readFile as default } from 'node:fs/promises';" },
    ],
    [
      'core that knows a plugin',
      'core-knows-no-plugin',
      { 'src/main.ts': "import '../plugins/tag/main.ts';" },
    ],
    [
      'code that knows the tests',
      'nothing-knows-the-tests',
      { 'src/main.ts': "import '../test/support/given.ts';" },
    ],
    ['an import that leads nowhere', 'no-unresolvable', { 'src/main.ts': "import './nowhere.ts';" }],
    [
      'Express in a domain',
      'express-stays-in-http',
      { 'src/tickets/routes.ts': "import 'express';", ...package_('express') },
    ],
    [
      'knex in a service',
      'knex-stays-in-repositories',
      {
        'src/tickets/ticket-rows.ts': "import type { Knex } from 'knex';\nexport type K = Knex;",
        ...package_('knex'),
      },
    ],
    ['another way out', 'one-way-out', { 'src/tickets/hook.ts': "import 'undici';", ...package_('undici') }],
  ];

  test.each(faults)('notice %s', async (_what, rule, planted) => {
    expect(await faultsOf(planted)).toContain(rule);
  });
});

function package_(name: string): House {
  return {
    [`node_modules/${name}/package.json`]: `{ "name": "${name}", "main": "index.js", "types": "index.d.ts" }`,
    [`node_modules/${name}/index.js`]: 'module.exports = {};',
    [`node_modules/${name}/index.d.ts`]: 'export interface Knex {}',
    'package.json': `{ "name": "latchkey", "type": "module", "dependencies": { "${name}": "1.0.0" }, "exports": { "./plugin-api": "./src/plugin-api.ts" } }`,
  };
}

/** Builds the house with what was planted and asks the tool with the project's own rules. */
async function faultsOf(planted: House): Promise<string[]> {
  const folder = await mkdtemp(join(inject('folder'), 'house-'));
  for (const [path, content] of Object.entries({ ...sound, ...planted })) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  const { output } = await cruise(['src', 'plugins', 'test'], {
    ...options,
    baseDir: folder,
    validate: true,
    ruleSet: { forbidden: forbidden ?? [] },
    tsConfig: { fileName: join(ROOT, 'tsconfig.json') },
  });
  return [...new Set((output as ICruiseResult).summary.violations.map(({ rule }) => rule.name))];
}
