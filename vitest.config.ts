import { defineConfig } from 'vitest/config';

const browser = ['test/browser/**/*.test.ts', '{test,plugins}/**/*.browser.test.ts'];
const races = ['test/races/**/*.test.ts'];
const cluster = ['test/cluster/**/*.test.ts'];
const processes = ['test/{cli,server}/**/*.test.ts'];

/** A race is run in rounds; with fifty of them it takes its time. */
const raceTimeout = 300_000 + 60_000 * Number(process.env['LATCHKEY_TEST_ROUNDS'] ?? 3);

/**
 * On a machine of others, beside work of others, what one test waits for may come too late, and thousands that passed would count
 * for nothing. Whoever needs a second try is named at the end (`SecondTries`). Races get none: one wrong round is one too many.
 */
const patience = { retry: process.env['CI'] ? 1 : 0 };

const common = {
  setupFiles: ['test/support/setup.ts'],
  globalSetup: ['test/support/global-setup.ts'],
  testTimeout: 20_000,
  hookTimeout: 30_000,
};

/**
 * Tests run on Node itself, as the server does: no bundler, no transform.
 * `unit` is quick and in one process, `processes` starts the command line and the server for real, `races` has servers compete
 * and kills them, `cluster` does the same on three Galera nodes, `browser` looks at pages as a person does.
 */
export default defineConfig({
  test: {
    reporters: [process.env['CI'] ? 'default' : 'dot', './test/support/second-tries.ts'],
    experimental: { viteModuleRunner: false },
    pool: 'forks',
    maxWorkers: '100%',
    projects: [
      {
        extends: true,
        test: {
          ...common,
          ...patience,
          name: 'unit',
          // Modules hold no state worth telling apart, and loading the house for every file would cost more than the tests.
          isolate: false,
          sequence: { groupOrder: 0 },
          include: ['{test,plugins}/**/*.test.ts'],
          exclude: ['**/node_modules/**', ...browser, ...races, ...cluster, ...processes],
        },
      },
      {
        extends: true,
        test: {
          ...common,
          ...patience,
          name: 'processes',
          include: processes,
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          ...common,
          name: 'races',
          include: races,
          testTimeout: raceTimeout,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          ...common,
          name: 'cluster',
          include: cluster,
          testTimeout: raceTimeout,
          hookTimeout: 180_000,
          sequence: { groupOrder: 3 },
        },
      },
      {
        extends: true,
        test: {
          ...common,
          ...patience,
          name: 'browser',
          include: browser,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
