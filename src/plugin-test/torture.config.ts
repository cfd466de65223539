import { fileURLToPath } from 'node:url';
import { defineConfig, mergeConfig } from 'vitest/config';
import usual from './vitest.config.ts';

/** For `latchkey plugin test --torture`: our promises instead of the plugin's own tests. */
export default mergeConfig(
  { ...usual, test: { ...usual.test, include: [] } },
  defineConfig({
    test: {
      include: [fileURLToPath(new URL('torture.ts', import.meta.url))],
      testTimeout: 60_000,
    },
  }),
);
