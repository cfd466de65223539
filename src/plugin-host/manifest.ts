import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Cron } from 'croner';
import semver from 'semver';
import { z } from 'zod';
import { guess } from '../shared/guess.ts';
import { settingsFrom, settingsSchema } from './settings-schema.ts';

/** Reads without running a line of the plugin: what it is, what it brings, what it wants to touch. */

export const PLUGIN_ID = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

const describe = <T extends z.ZodType>(schema: T, description: string): T => schema.describe(description);

const words = z
  .string()
  .min(1)
  .max(500)
  .describe('A text, or `t:<key>` for one of the plugin in the language of the reader.');
const id = z.string().regex(PLUGIN_ID).max(48);
const version = z.string().refine((text) => semver.valid(text) !== null, 'must be a version such as 1.2.3');
const range = z.string().refine((text) => semver.validRange(text) !== null, 'must be a range such as ^1.2.0');
const rightId = z.string().regex(/^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+$/);
const name = z
  .string()
  .regex(/^[a-z][A-Za-z0-9-]*$/)
  .max(64);
const hookName = z.string().regex(/^[a-z][a-z0-9-]*(\.[a-z0-9-]+)*$/);
const insideFile = z
  .string()
  .regex(
    /^(\.\/)?[A-Za-z0-9_@][A-Za-z0-9_@.-]*(\/[A-Za-z0-9_@][A-Za-z0-9_@.-]*)*$/,
    'must be a path inside the plugin',
  );
const sitePath = z.string().regex(/^(\/[A-Za-z0-9_.-]+)+$/, 'must be a path such as /join');

function isCron(text: string): boolean {
  try {
    return text.trim().split(/\s+/).length === 5 && new Cron(text, { paused: true }).nextRun() !== null;
  } catch {
    return false;
  }
}

const permissions = z
  .strictObject({
    db: z.array(z.literal('own')).default([]).describe('Tables of its own.'),
    users: z.array(z.enum(['read', 'create', 'disable'])).default([]),
    memberships: z.array(z.enum(['read', 'grant'])).default([]),
    sessions: z.boolean().default(false).describe('Signs people in.'),
    mail: z.boolean().default(false),
    tickets: z.array(z.enum(['read', 'write'])).default([]),
    net: z.array(z.string()).default([]).describe('Addresses it calls.'),
  })
  .prefault({});

const right = z.strictObject({
  id: describe(rightId, 'Its title is the text `rights.<id>` of the plugin.'),
  group: z.string().min(1).max(48).optional(),
  suggest: z
    .array(z.enum(['self-service', 'technician', 'supervisor', 'administrator', 'super-admin']))
    .default([])
    .describe('Built-in profiles that get it when the plugin is enabled for the first time.'),
});

const settingBase = {
  name,
  label: z.string().optional().describe('A text of the plugin; `settings.<name>` unless said.'),
  hint: z.string().optional(),
};
const setting = z.discriminatedUnion('type', [
  z.strictObject({
    ...settingBase,
    type: z.literal('string'),
    default: z.string().default(''),
    secret: z.boolean().default(false).describe('Kept sealed and never shown again.'),
    maxLength: z.int().positive().default(2000),
  }),
  z.strictObject({
    ...settingBase,
    type: z.literal('number'),
    default: z.number(),
    min: z.number().optional(),
    max: z.number().optional(),
  }),
  z.strictObject({ ...settingBase, type: z.literal('boolean'), default: z.boolean() }),
  z.strictObject({
    ...settingBase,
    type: z.literal('choice'),
    choices: z.array(z.string().min(1)).min(1),
    default: z.string(),
  }),
]);

const menu = z.strictObject({
  id: name.optional(),
  at: z.enum(['main', 'admin', 'account']),
  label: z.string().min(1).describe('A text of the plugin.'),
  icon: z
    .string()
    .regex(/^[a-z0-9-]+$/)
    .describe('A Tabler icon.'),
  path: sitePath,
  right: rightId.optional(),
  order: z.int().default(50),
});

const job = z
  .strictObject({
    id: name,
    everyMs: z.int().min(1000).optional(),
    cron: z
      .string()
      .refine(isCron, 'must be five fields as in crontab, such as "0 3 * * *"')
      .optional()
      .describe('Instead of `everyMs`: five fields as in crontab.'),
    run: z.enum(['once-per-cluster', 'every-process']).default('once-per-cluster'),
  })
  .refine(
    ({ everyMs, cron }) => (everyMs === undefined) !== (cron === undefined),
    'needs either everyMs or cron',
  );

const folder = (usual: string, what: string): z.ZodDefault<z.ZodString> =>
  insideFile.default(usual).describe(what);

const dependencies = z
  .strictObject({
    requires: z.record(id, range).default({}).describe('Enabled, and started, before this one.'),
    optional: z.record(id, range).default({}).describe('Started before this one where they are there.'),
    conflicts: z.record(id, range).default({}).describe('Never enabled together with this one.'),
  })
  .prefault({});

export const manifestSchema = z
  .strictObject({
    $schema: z.string().optional(),
    manifest: z.literal(1).default(1).describe('The version of this format.'),
    id: describe(id, 'Small letters, digits and hyphens; also the name of the folder.'),
    name: words,
    version,
    description: words,
    publisher: z.string().min(1).max(80),
    license: z.string().min(1).max(80),
    homepage: z.url().optional(),
    engines: z.strictObject({ latchkey: range, node: range.optional() }),
    main: insideFile.default('index.ts').describe('Exports `definePlugin(…)` by default.'),
    default: z
      .enum(['enabled', 'disabled'])
      .default('disabled')
      .describe('What a plugin that comes with Latchkey is when it is first seen.'),
    tablePrefix: z
      .string()
      .regex(/^[a-z][a-z0-9]*(_[a-z0-9]+)*_$/)
      .max(24)
      .optional()
      .describe('What the names of its tables begin with, e.g. `hello_`.'),
    appendOnly: z
      .array(z.string().regex(/^[a-z][a-z0-9_]*$/))
      .default([])
      .describe('Tables of its own from which nothing is ever taken: what a backup brings back is added.'),
    permissions: permissions.describe('What of core it may use through `host`.'),
    dependencies,
    claims: z
      .array(sitePath)
      .default([])
      .describe(
        'Paths outside /p/<id> and /api/p/<id> that it answers; whatever lies below them is included.',
      ),
    rights: z.array(right).default([]),
    settings: z.array(setting).default([]),
    menus: z.array(menu).default([]),
    slots: z.array(hookName).default([]).describe('Places in pages that it fills.'),
    overrides: z
      .array(
        z.strictObject({
          template: z.string().regex(/^[a-z0-9-]+(\/[a-z0-9-]+)+$/),
          file: insideFile,
          replaces: z
            .string()
            .regex(/^[0-9a-f]{64}$/)
            .optional()
            .describe('SHA-256 of the template it was made from: when ours changes, ours is shown.'),
        }),
      )
      .default([])
      .describe('Templates of ours that it draws instead.'),
    jobs: z.array(job).default([]),
    commands: z
      .array(z.string().regex(/^[a-z][a-z0-9-]*( [a-z][a-z0-9-]*)*$/))
      .default([])
      .describe('Commands under `latchkey`, e.g. `hello say`.'),
    hooks: z
      .strictObject({ provides: z.array(hookName).default([]), uses: z.array(hookName).default([]) })
      .prefault({})
      .describe('Hooks it defines for others, and those it listens to.'),
    migrations: folder('migrations', 'Folder with the steps of its schema: `0001-<name>.ts`.'),
    views: folder('views', 'Folder with its templates, called `<id>/<name>`.'),
    locales: folder('locales', 'Folder with `en.json` and `fr.json`, or with `en/*.json` and `fr/*.json`.'),
    public: folder('public', 'Folder with scripts, styles and pictures, called `<id>/<name>`.'),
  })
  .meta({ title: 'Latchkey plugin manifest', description: 'plugin.json, beside the code of a plugin' });

export type Manifest = z.output<typeof manifestSchema>;
/** What a version is called on disk and in the log. */
export const nameOf = ({ id, version }: Pick<Manifest, 'id' | 'version'>): string => `${id}@${version}`;
export type ManifestSetting = Manifest['settings'][number];

/** A manifest that cannot be used; says everything that is wrong with it. */
export class ManifestError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[], cause?: unknown) {
    super(`plugin.json cannot be used: ${problems.join('; ')}`, { cause });
    this.name = 'ManifestError';
    this.problems = problems;
  }
}

export async function readManifest(folder: string): Promise<Manifest> {
  const text = await readFile(join(folder, 'plugin.json'), 'utf8');
  return parseManifest(parseJson(text));
}

export function parseManifest(value: unknown): Manifest {
  const parsed = manifestSchema.safeParse(withSettingsAsList(value));
  if (!parsed.success)
    throw new ManifestError(
      parsed.error.issues.flatMap((issue) => explain(issue, value)),
      parsed.error,
    );
  return parsed.data;
}

/** What `docs/plugin.schema.json` holds, for editors. */
export function manifestJsonSchema(): unknown {
  const options = { io: 'input', unrepresentable: 'any' } as const;
  const { properties = {}, ...whole } = z.toJSONSchema(manifestSchema, options);
  const { $schema: _, ...asSchema } = z.toJSONSchema(settingsSchema, options);
  const settings = { anyOf: [properties['settings'], asSchema] };
  return { ...whole, properties: { ...properties, settings } };
}

/** Settings may also be said as a JSON Schema: `{ "type": "object", "properties": { … } }`. */
function withSettingsAsList(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('settings' in value)) return value;
  if (Array.isArray(value.settings)) return value;
  const parsed = settingsSchema.safeParse(value.settings);
  if (parsed.success) return { ...value, settings: settingsFrom(parsed.data) };
  const problems = parsed.error.issues.flatMap((issue) =>
    explain({ ...issue, path: ['settings', ...issue.path] }, value),
  );
  throw new ManifestError(problems, parsed.error);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ManifestError([cause instanceof Error ? cause.message : 'it is not JSON'], cause);
  }
}

function explain(issue: z.core.$ZodIssue, value: unknown): string[] {
  const place = namesOf(issue.path, value);
  const say = (path: readonly string[], words: string): string =>
    path.length > 0 ? `${path.join('.')}: ${words}` : words;
  if (issue.code !== 'unrecognized_keys') return [say(place, issue.message)];
  return issue.keys.map((key) =>
    say([...place, key], `nobody knows this word.${guess(key, new Set(knownAt(issue.path)))}`),
  );
}

/** What stands in a list is called by its own name, where it has one: `settings.loanDays.default`. */
function namesOf(path: readonly PropertyKey[], value: unknown): string[] {
  let at = value;
  return path.map((part) => {
    at = typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[part] : undefined;
    const named = typeof part === 'number' ? nameSchema.safeParse(at) : null;
    return named?.data?.id ?? named?.data?.name ?? String(part);
  });
}

const nameSchema = z.object({ id: z.string().optional(), name: z.string().optional() });

/** The words that may stand there, by the schema that editors get. */
function knownAt(path: readonly PropertyKey[]): string[] {
  let at = jsonSchema.parse(manifestJsonSchema());
  for (const part of path) {
    const below = typeof part === 'number' ? at.items : at.properties[String(part)];
    at = jsonSchema.parse(below?.anyOf?.[0] ?? below ?? {});
  }
  return Object.keys(at.properties);
}

interface KnownSchema {
  properties: Record<string, KnownSchema>;
  items?: KnownSchema | undefined;
  anyOf?: KnownSchema[] | undefined;
}

const jsonSchema: z.ZodType<KnownSchema> = z.lazy(() =>
  z.object({
    properties: z.record(z.string(), jsonSchema).catch({}).default({}),
    items: jsonSchema.optional().catch(undefined),
    anyOf: z.array(jsonSchema).optional().catch(undefined),
  }),
);
