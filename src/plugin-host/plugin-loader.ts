import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Plugin } from './host.ts';

const PLUGIN_API = 'latchkey/plugin-api';
const pluginApiUrl = new URL('../plugin-api.ts', import.meta.url).href;

let isResolving = false;

/** Lets `latchkey/plugin-api` be found from wherever a plugin lies, and always the same one. */
export function resolvePluginApi(): void {
  if (isResolving) return;
  isResolving = true;
  registerHooks({
    resolve: (specifier, context, nextResolve) =>
      specifier === PLUGIN_API ? { url: pluginApiUrl, shortCircuit: true } : nextResolve(specifier, context),
  });
}

/** Node remembers a module that failed; a further attempt needs another address. */
const failures = new Map<string, number>();

export async function loadPlugin(folder: string, main: string): Promise<Plugin> {
  const { href } = pathToFileURL(join(folder, main));
  const failed = failures.get(href) ?? 0;
  try {
    const module = (await import(failed === 0 ? href : `${href}?attempt=${String(failed)}`)) as {
      default?: unknown;
    };
    return pluginOf(module.default);
  } catch (error) {
    failures.set(href, failed + 1);
    throw error;
  }
}

function pluginOf(value: unknown): Plugin {
  if (typeof value === 'object' && value !== null && 'setup' in value && typeof value.setup === 'function') {
    return value as Plugin;
  }
  throw new TypeError('Its main file must export definePlugin(…) by default');
}
