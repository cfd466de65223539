import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { format, resolveConfig } from 'prettier';
import { surface } from '../../src/compose-author.ts';
import { coreHooks } from '../../src/core-hooks.ts';
import * as api from '../../src/plugin-api.ts';
import type { HookToken } from '../../src/hooks/tokens.ts';

/** After a change of core's hooks: `npx vitest run test/plugin-host/hook-reference.test.ts -u`. */
test('plugins may import every hook of core, by one name', () => {
  const exported = Object.entries<unknown>(api).filter(([, value]) => isToken(value));

  expect(Object.fromEntries(exported)).toEqual(coreHooks);
});

test('no two hooks have one name, and there are enough to find the one that is looked for', () => {
  const names = Object.values(coreHooks).map(({ name }) => name);

  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThanOrEqual(60);
});

test('the reference of hooks names those that there are', async () => {
  const tokens = Object.entries<unknown>(api).filter((entry): entry is [string, HookToken] =>
    isToken(entry[1]),
  );
  const file = new URL('../../docs/plugins/hooks.md', import.meta.url).pathname;

  const page = [
    '# Hooks of core',
    'What plugins may change, refuse or hear of. Import the token from `latchkey/plugin-api`; its type says what travels with it. A filter or veto that is *closed* refuses the operation when a listener fails or is missing; an *open* one goes on without it. Plugins bring hooks of their own: see `hooks.provides` in their manifests. `latchkey hooks` lists all of a running house, with who listens and in which order. The milliseconds are what a listener may take before it is named as slow; filters and vetoes are cut off after 250 ms, or two seconds while people wait for the database; events are told after commit, at least once, and tried again when a listener fails.',
    ...section('Filters', 'filter', tokens),
    ...section('Vetoes', 'veto', tokens),
    ...section('Events', 'event', tokens),
    ...section('Contributions', 'contribution', tokens),
  ].join('\n\n');

  const style = { parser: 'markdown', ...(await resolveConfig(file)) };
  await expect(await format(page, style)).toMatchFileSnapshot(file);
});

test('the guide names every place in our pages, and no other', async () => {
  const guide = await readFile(new URL('../../docs/plugins/README.md', import.meta.url), 'utf8');
  const [table = ''] = (guide.split('**Places in our pages**')[1] ?? '').split('**Drawing a page');
  const named = [...table.matchAll(/^\| `([a-z]+\.[a-z-]+)` \|/gm)].map(([, slot]) => slot);
  const { slots } = await surface();

  const ofCore = [...slots].filter((slot) => !slot.startsWith('registration-key.'));
  expect(named.sort()).toEqual(ofCore.sort());
});

function section(title: string, kind: HookToken['kind'], tokens: readonly [string, HookToken][]): string[] {
  const rows = tokens
    .filter(([, token]) => token.kind === kind)
    .sort(([, one], [, other]) => one.name.localeCompare(other.name))
    .map(
      ([name, token]) =>
        `| \`${name}\` | \`${token.name}\` | ${token.summary}${failureOf(token)} | ${token.since} |`,
    );
  return [`## ${title}`, ['| token | name | what | since |', '|---|---|---|---|', ...rows].join('\n')];
}

const failureOf = ({ kind, failure, budgetMs }: HookToken): string =>
  kind === 'filter' || kind === 'veto'
    ? ` *${failure}, ${String(budgetMs)} ms*`
    : ` *${String(budgetMs)} ms*`;

const isToken = (value: unknown): value is HookToken =>
  typeof value === 'object' && value !== null && 'kind' in value && 'since' in value;
