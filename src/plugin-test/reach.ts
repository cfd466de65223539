import { readFile, realpath } from 'node:fs/promises';
import { Session, type Profiler } from 'node:inspector/promises';
import { relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

interface Reached {
  lines: number;
  reached: number;
  /** `src/index.ts:33-35`, the longest first. */
  missed: string[];
}

/** Which lines of a plugin have run since it was begun: what never ran was not put to the test. */
export class Reach {
  readonly #session = new Session();

  async begin(): Promise<void> {
    this.#session.connect();
    await this.#session.post('Profiler.enable');
    await this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  async of(folder: string): Promise<Reached> {
    const home = `${pathToFileURL(await realpath(folder)).href}/`;
    const { result } = await this.#session.post('Profiler.takePreciseCoverage');
    this.#session.disconnect();
    const files = new Map<string, Profiler.ScriptCoverage[]>();
    for (const script of result) {
      const [url = ''] = script.url.split('?');
      if (url.startsWith(home) && !/\/(?:node_modules|test)\//.test(url.slice(home.length - 1)))
        files.set(url, [...(files.get(url) ?? []), script]);
    }
    const read = await Promise.all(
      [...files].map(async ([url, scripts]) => {
        const path = fileURLToPath(url);
        const name = relative(await realpath(folder), path);
        return { name, ...linesOf(await readFile(path, 'utf8'), scripts) };
      }),
    );
    const missed = read.flatMap(({ name, spans }) => spans.map((span) => ({ name, ...span })));
    return {
      lines: sum(read.map(({ lines }) => lines)),
      reached: sum(read.map(({ reached }) => reached)),
      missed: missed
        .sort((one, other) => other.last - other.first - (one.last - one.first))
        .map(({ name, first, last }) => `${name}:${String(first)}${last > first ? `-${String(last)}` : ''}`),
    };
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

/** A line that says nothing by itself: a comment, a bracket. */
const IDLE = /^(?:\/\/.*|\/?\*.*|[\s(){}[\];,]*)$/;

interface Span {
  first: number;
  last: number;
}

/** A module may have been loaded more than once: what ran in any of them ran. */
function linesOf(
  source: string,
  scripts: readonly Profiler.ScriptCoverage[],
): { lines: number; reached: number; spans: Span[] } {
  const ran = new Uint8Array(source.length);
  for (const script of scripts) {
    const here = new Uint8Array(source.length);
    // Outer ranges come before those within them.
    const ranges = script.functions.flatMap((one) => one.ranges);
    for (const { startOffset, endOffset, count } of ranges)
      here.fill(count > 0 ? 1 : 0, startOffset, endOffset);
    for (const [at, value] of here.entries()) if (value === 1) ran[at] = 1;
  }
  let offset = 0;
  let [lines, reached] = [0, 0];
  const spans: Span[] = [];
  let span: Span | null = null;
  for (const [index, text] of source.split('\n').entries()) {
    const at = offset + text.search(/\S/);
    offset += text.length + 1;
    if (IDLE.test(text.trim())) continue;
    lines += 1;
    if (ran[at] === 1) {
      reached += 1;
      span = null;
      continue;
    }
    if (span) span.last = index + 1;
    else spans.push((span = { first: index + 1, last: index + 1 }));
  }
  return { lines, reached, spans };
}
