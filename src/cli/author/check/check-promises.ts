import { prefixOf, type Manifest } from '../../../plugin-host/index.ts';
import { guess } from '../../../shared/guess.ts';
import { at, codeOf, lineAt, type Problem, type Subject } from './subject.ts';

/** What code does, found by how it is usually written, that would be refused or fail when it runs. */
interface Reading {
  how: RegExp;
  /** What there is to say against what was found; null where it is fine. */
  problem: (found: string, subject: Subject) => string | null;
}

/** Parts of the host that are lent to whoever asks for them in `permissions`. */
const lent: Record<string, { permission: keyof Manifest['permissions']; example: string }> = {
  users: { permission: 'users', example: '"users": ["read"]' },
  passkeys: { permission: 'users', example: '"users": ["read"]' },
  providers: { permission: 'users', example: '"users": ["read"]' },
  memberships: { permission: 'memberships', example: '"memberships": ["read"]' },
  sessions: { permission: 'sessions', example: '"sessions": true' },
  mail: { permission: 'mail', example: '"mail": true' },
  tickets: { permission: 'tickets', example: '"tickets": ["read"]' },
  outbound: { permission: 'net', example: '"net": ["api.example.org"]' },
};

const readings: readonly Reading[] = [
  { how: /\bhost\.(\w+)\b/g, problem: permissionMissing },
  { how: /\bpath:\s*['"`](\/[\w./:*-]*)['"`]/g, problem: pathNotClaimed },
  { how: /\bdefineTable\(\s*['"`](\w+)['"`]/g, problem: tableOfOthers },
  {
    how: /\bdefine(?:Filter|Veto|Event|Contribution)(?:<[^()]*>)?\(\s*\{\s*name:\s*['"`]([\w.-]+)/g,
    problem: hookOfNobody,
  },
  { how: /\b(?:view|slot)\([^()]*?['"`]([a-z0-9-]+\/[\w./-]+)['"`]/g, problem: templateMissing },
  { how: /\btemplate:\s*['"`]([a-z0-9-]+\/[\w./-]+)['"`]/g, problem: mailMissing },
];

/** Whatever the code does that `plugin.json` or the plugin's own files do not bear out. */
export function promiseProblems(subject: Subject): Problem[] {
  return codeOf(subject.sources).flatMap(({ path, text }) =>
    readings.flatMap(({ how, problem }) => {
      const said = new Set<string>();
      return [...text.matchAll(how)].flatMap((match) => {
        const words = problem(match[1] ?? '', subject);
        if (words === null || said.has(words)) return [];
        said.add(words);
        return [at(path, lineAt(text, match.index), words)];
      });
    }),
  );
}

function permissionMissing(part: string, { manifest }: Subject): string | null {
  const asked = lent[part];
  if (!asked) return null;
  const granted = manifest.permissions[asked.permission];
  const isGranted = typeof granted === 'boolean' ? granted : granted.length > 0;
  return isGranted ? null : `host.${part} needs ${asked.example} under "permissions" in plugin.json.`;
}

function pathNotClaimed(path: string, { manifest: { id, claims } }: Subject): string | null {
  const own = [`/p/${id}`, `/api/p/${id}`, ...claims];
  return own.some((claim) => path === claim || path.startsWith(`${claim}/`))
    ? null
    : `The path ${path} does not begin with /p/${id} or /api/p/${id}, and does not stand under "claims" in plugin.json.`;
}

function tableOfOthers(table: string, { manifest }: Subject): string | null {
  const prefix = prefixOf(manifest);
  return table.startsWith(prefix) ? null : `The table ${table} must begin with ${prefix}`;
}

function hookOfNobody(name: string, { manifest, surface }: Subject): string | null {
  const { requires, optional } = manifest.dependencies;
  const known = [manifest.id, ...Object.keys(requires), ...Object.keys(optional)];
  if (surface.hooks.has(name) || known.some((owner) => name.startsWith(`${owner}.`))) return null;
  return `There is no hook "${name}".${guess(name, surface.hooks)} If another plugin has it, name that one under "dependencies".`;
}

function templateMissing(name: string, { manifest, sources, surface }: Subject): string | null {
  const own = ownTemplates(manifest, sources);
  if (own.has(name) || surface.templates.has(name)) return null;
  return name.startsWith(`${manifest.id}/`)
    ? `There is no template "${name}" in ${manifest.views}/.${guess(name, own)}`
    : null;
}

/** Of a mail there are three: subject, HTML and text. */
function mailMissing(name: string, { manifest, sources }: Subject): string | null {
  if (!name.startsWith(`${manifest.id}/`)) return null;
  const own = ownTemplates(manifest, sources);
  const missing = ['subject', 'html', 'text'].filter((part) => !own.has(`${name}.${part}`));
  if (missing.length === 0 || own.has(name)) return null;
  const file = `${manifest.views}/${name.slice(manifest.id.length + 1)}`;
  return `The mail "${name}" lacks ${missing.map((part) => `${file}.${part}.hbs`).join(', ')}.`;
}

const ownTemplates = ({ id, views }: Manifest, sources: Subject['sources']): Set<string> =>
  new Set(
    sources
      .filter(({ path }) => path.startsWith(`${views}/`) && path.endsWith('.hbs'))
      .map(({ path }) => path.replace(`${views}/`, `${id}/`).slice(0, -'.hbs'.length)),
  );
