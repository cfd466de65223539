/** Builds `public/icons.svg` from the names in `icons.txt`, those in templates and menu entries. Run it after using a new icon: `npm run icons`. */
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const outline = dirname(createRequire(import.meta.url).resolve('@tabler/icons/outline/ticket.svg'));

/** Everyday words for what Tabler calls differently. */
const aliases: Record<string, string> = {
  pause: 'player-pause',
  play: 'player-play',
  invite: 'user-plus',
  menu: 'menu-2',
  'flash-success': 'circle-check',
  'flash-info': 'info-circle',
  'flash-warning': 'alert-triangle',
  'flash-danger': 'alert-circle',
};

function named(): string[] {
  const listed = readFileSync(join(root, 'scripts/icons.txt'), 'utf8').split(/\s+/).filter(Boolean);
  const templates = globSync(['views/**/*.hbs', 'plugins/*/views/**/*.hbs'], { cwd: root }).flatMap((file) =>
    found(file, /[{(]icon "([a-z0-9-]+)"|icon="([a-z0-9-]+)"/g),
  );
  const code = globSync(['src/**/*.ts', 'plugins/**/*.{ts,json}'], { cwd: root }).flatMap((file) =>
    found(file, /"?icon"?: ['"]([a-z0-9-]+)['"]()/g),
  );
  return [...new Set([...listed, ...templates, ...code, ...Object.keys(aliases)])].sort();
}

const found = (file: string, pattern: RegExp): string[] =>
  [...readFileSync(join(root, file), 'utf8').matchAll(pattern)]
    .map((match) => match[1] ?? match[2] ?? '')
    .filter(Boolean);

function symbol(name: string): string {
  const file = join(outline, `${aliases[name] ?? name}.svg`);
  if (!existsSync(file)) {
    console.error(`Tabler has no icon ${name}.`);
    process.exitCode = 1;
    return '';
  }
  const shapes =
    readFileSync(file, 'utf8').match(/<(path|circle|rect|line)(?![^>]*M0 0h24v24H0z)[^>]*\/>/g) ?? [];
  return `<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round">${shapes.join('')}</symbol>`;
}

const symbols = named().map(symbol).filter(Boolean);
writeFileSync(
  join(root, 'public/icons.svg'),
  `<svg xmlns="http://www.w3.org/2000/svg">\n<!-- Tabler Icons, MIT, https://tabler.io/icons -->\n${symbols.join('\n')}\n</svg>\n`,
);
console.log(`${String(symbols.length)} icons`);
