import type { Manifest } from '../../../plugin-host/index.ts';

export interface Problem {
  file: string;
  line: number | null;
  message: string;
}

/** What there is to plug into, as this Latchkey has it. */
export interface Surface {
  version: string;
  hooks: ReadonlySet<string>;
  slots: ReadonlySet<string>;
  /** What `latchkey/plugin-api` exports, but for types. */
  api: ReadonlySet<string>;
  /** What templates may call. */
  helpers: ReadonlySet<string>;
  icons: ReadonlySet<string>;
  /** SHA-256 of each of our templates. */
  templates: ReadonlyMap<string, string>;
}

export interface Source {
  path: string;
  text: string;
}

export interface Subject {
  folder: string;
  manifest: Manifest;
  sources: Source[];
  surface: Surface;
}

export const at = (file: string, line: number | null, message: string): Problem => ({ file, line, message });
export const isCode = ({ path }: Source): boolean => /\.(ts|js|mjs)$/.test(path);
export const textOf = (sources: readonly Source[], path: string): string =>
  sources.find((source) => source.path === path)?.text ?? '';
export const lineAt = (text: string, index: number): number => text.slice(0, index).split('\n').length;
export const matches = (text: string, pattern: RegExp): number[] =>
  [...text.matchAll(pattern)].map(({ index }) => lineAt(text, index));

export function lineOf(text: string, words: string): number | null {
  const index = text.indexOf(words);
  return index < 0 ? null : lineAt(text, index);
}

/** Code that runs in the server. */
export const codeOf = (sources: readonly Source[]): Source[] =>
  sources.filter((source) => isCode(source) && !source.path.startsWith('public/'));
