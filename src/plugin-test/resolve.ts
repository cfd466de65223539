import { registerHooks } from 'node:module';

/** What the tests of a plugin import is found from wherever its folder lies, and always the same one. */
const ours: Record<string, string> = {
  'latchkey/plugin-api': new URL('../plugin-api.ts', import.meta.url).href,
  'latchkey/plugin-test': new URL('index.ts', import.meta.url).href,
  vitest: import.meta.resolve('vitest'),
};

registerHooks({
  resolve: (specifier, context, nextResolve) => {
    const url = ours[specifier];
    return url === undefined ? nextResolve(specifier, context) : { url, shortCircuit: true };
  },
});
