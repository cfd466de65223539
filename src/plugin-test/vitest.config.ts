import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** For `latchkey plugin test`: the plugin's own tests, on Node itself, wherever its folder lies. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/*.browser.test.ts'],
    setupFiles: [fileURLToPath(new URL('vitest-setup.ts', import.meta.url))],
    experimental: { viteModuleRunner: false },
    pool: 'forks',
    isolate: false,
    execArgv: ['--import', new URL('resolve.ts', import.meta.url).href],
    testTimeout: 20_000,
    hookTimeout: 30_000,
  },
});
