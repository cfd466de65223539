import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';

let script: string | null = null;

/** `tokens.ts` as a browser can run it: the same file, without its types. */
export function tokensForBrowser(): string {
  script ??= stripTypeScriptTypes(readFileSync(new URL('./tokens.ts', import.meta.url), 'utf8'));
  return script;
}
