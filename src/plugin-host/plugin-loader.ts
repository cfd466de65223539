import { stat } from 'node:fs/promises';
import { registerHooks } from 'node:module';
import { basename, join } from 'node:path';
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

/** How often each main file was of no use so far. */
const attempts = new Map<string, number>();
/** When each was written that was read. */
const written = new Map<string, number>();

/** Node remembers every module, also one that failed: after a failure, and when it was changed, the main file is read again under another address. */
export async function loadPlugin(folder: string, main: string): Promise<Plugin> {
  const href = addressOf(folder, main);
  const { mtimeMs } = await stat(join(folder, main));
  if (written.has(href) && written.get(href) !== mtimeMs) loadAfreshNextTime(folder, main);
  written.set(href, mtimeMs);
  const failed = attempts.get(href) ?? 0;
  const module = await (
    import(failed === 0 ? href : `${href}?attempt=${String(failed)}`) as Promise<{ default?: unknown }>
  ).catch((error: unknown) => {
    throw withPlace(error, folder);
  });
  return pluginOf(module.default);
}

/** What cannot be read says where only in its trace. */
function withPlace(error: unknown, folder: string): unknown {
  if (!(error instanceof SyntaxError)) return error;
  const trace = error.stack?.split('\n')[0] ?? '';
  const within = trace.slice(trace.lastIndexOf(`/${basename(folder)}/`) + basename(folder).length + 2);
  const place = /^([\w./-]+\.[cm]?[jt]s)(?:\?[^:\s]*)?:(\d+)/.exec(within);
  if (!place || error.message.includes(folder)) return error;
  return new Error(`${place[1] ?? ''}:${place[2] ?? ''}: ${error.message}`, { cause: error });
}

export function loadAfreshNextTime(folder: string, main: string): void {
  const href = addressOf(folder, main);
  attempts.set(href, (attempts.get(href) ?? 0) + 1);
}

const addressOf = (folder: string, main: string): string => pathToFileURL(join(folder, main)).href;

function pluginOf(value: unknown): Plugin {
  if (typeof value === 'object' && value !== null && 'setup' in value && typeof value.setup === 'function') {
    return value as Plugin;
  }
  throw new TypeError('Its main file must export definePlugin(…) by default');
}
