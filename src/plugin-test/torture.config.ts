import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig, mergeConfig } from 'vitest/config';
import usual from './vitest.config.ts';

/** For `latchkey plugin test --torture`: our promises instead of the plugin's own tests. */
export default mergeConfig(
  { ...usual, test: { ...usual.test, include: [] } },
  defineConfig({
    test: {
      root: dirname(fileURLToPath(import.meta.url)),
      include: ['torture.ts'],
      testTimeout: 60_000,
    },
  }),
);
