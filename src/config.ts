import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { z } from 'zod';

/**
 * All that is read from the environment, once, at the start. What administrators change while it runs lives in settings.
 * Every variable is `LATCHKEY_<NAME>`; the secret ones also `LATCHKEY_<NAME>_FILE`, a path whose content is the value.
 *
 * @example LATCHKEY_DATABASE_URL=mysql://latchkey:secret@127.0.0.1/latchkey LATCHKEY_BASE_URL=https://desk.example.org npm start
 */
const port = z.coerce.number().int().min(0).max(65_535);
const yesNo = z
  .enum(['1', '0', 'true', 'false', 'yes', 'no'])
  .transform((word) => ['1', 'true', 'yes'].includes(word));
/** The supervisor says `crashes` when nobody has asked for it. */
const safeMode = z
  .union([z.literal('crashes'), yesNo])
  .transform((word) => (word === true ? 'asked' : word === false ? null : word));
/** As other programs write it, with or without http:// before it. */
const proxyUrl = z
  .string()
  .transform((text) => (text.includes('://') ? text : `http://${text}`))
  .pipe(z.url({ protocol: /^https?$/ }));
const webUrl = z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, ''));

const variables = {
  PORT: { schema: port.default(3000), help: 'Port to listen on, 0 to 65535; 0 takes a free one.' },
  HOST: { schema: z.string().min(1).default('127.0.0.1'), help: 'Address to listen on, e.g. 0.0.0.0.' },
  BASE_URL: {
    schema: webUrl.optional(),
    help: 'How people reach this server, e.g. https://desk.example.org; links and origin checks use it.',
  },
  DATABASE_URL: {
    schema: z
      .string()
      .regex(
        /^(sqlite:.+|mysql:\/\/.+)$/,
        'must look like sqlite:path or mysql://user:password@host/database',
      )
      .optional(),
    help: 'sqlite:<file> or mysql://user:password@host:3306/database. Default: sqlite in the data folder.',
    secret: true,
  },
  DATA_DIR: {
    schema: z.string().min(1).default('./var'),
    help: 'Folder for the database, key file, attachments.',
  },
  PLUGIN_DIR: {
    schema: z.string().min(1).optional(),
    help: 'Folder with further plugins. Default: <data>/plugins.',
  },
  KEY: {
    schema: z.string().min(32).optional(),
    help: 'Master key (32 bytes in base64 or hex). Default: generated into <data>/key.',
    secret: true,
  },
  SMTP_URL: {
    schema: z.url({ protocol: /^smtps?$/ }).optional(),
    help: 'smtp://user:password@host:587 or smtps://…; without it links are shown instead of mailed.',
    secret: true,
  },
  MAIL_FROM: { schema: z.email().optional(), help: 'Sender address of all mail, e.g. helpdesk@example.org.' },
  TRUST_PROXY: {
    schema: z.string().min(1).default('none'),
    help: 'Proxies whose X-Forwarded-For counts: none, loopback, or addresses separated by commas.',
  },
  OUTBOUND_ALLOW: {
    schema: z.string().min(1).default('none'),
    help: 'Private addresses that webhooks may call: none, all, or addresses and networks such as 10.0.0.0/8.',
  },
  PROXY: {
    schema: proxyUrl.optional(),
    help: 'Proxy for all calls to the outside, e.g. http://user:password@proxy.example.org:3128. Default: HTTPS_PROXY or HTTP_PROXY.',
    secret: true,
  },
  NO_PROXY: {
    schema: z.string().min(1).optional(),
    help: 'Called without the proxy: names, addresses, networks, with commas, e.g. .example.org,10.0.0.0/8. Default: NO_PROXY.',
  },
  HUB_URL: {
    schema: webUrl.optional(),
    help: 'Address of the hub this installation belongs to, e.g. https://hub.example.org; wins over the page.',
  },
  NETWORK_KEY: {
    schema: z.string().min(8).optional(),
    help: 'Registration key for the hub of LATCHKEY_HUB_URL; wins over the one that was pasted.',
    secret: true,
  },
  LOG_LEVEL: {
    schema: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
    help: 'Least important line that is logged.',
  },
  METRICS_TOKEN: {
    schema: z.string().min(16).optional(),
    help: 'Bearer token for /metrics and the details of /readyz; without it only this machine may read them.',
    secret: true,
  },
  SAFE_MODE: { schema: safeMode.default(null), help: '1 starts without any plugin code.' },
} as const;

type Variables = typeof variables;
export type VariableName = keyof Variables;
type Parsed = { [K in VariableName]: z.output<Variables[K]['schema']> };

export interface Config {
  readonly port: number;
  readonly host: string;
  readonly baseUrl: string | undefined;
  readonly databaseUrl: string;
  readonly dataDir: string;
  readonly pluginDir: string;
  readonly key: string | undefined;
  readonly smtpUrl: string | undefined;
  readonly mailFrom: string | undefined;
  readonly trustProxy: string;
  readonly outboundAllow: string;
  /** The operator has said it; nobody else is asked then. */
  readonly isOutboundSaid: boolean;
  /** Null when everything is called directly. */
  readonly proxy: { url: string; from: string; bypass: string } | null;
  readonly hubUrl: string | undefined;
  readonly networkKey: string | undefined;
  readonly logLevel: Parsed['LOG_LEVEL'];
  readonly metricsToken: string | undefined;
  /** Why no plugin code is to run; null where it is. */
  readonly safeMode: Parsed['SAFE_MODE'];
}

/** Where a value came from, for `latchkey config print`. */
export interface ConfigLine {
  variable: string;
  value: string;
  source: 'environment' | 'file' | 'default';
  help: string;
}

/** Every complaint at once: which variable, what is wrong, what it should look like. */
export class ConfigError extends Error {
  readonly complaints: readonly string[];

  constructor(complaints: readonly string[]) {
    super(`The configuration cannot be used:\n${complaints.map((line) => `  - ${line}`).join('\n')}`);
    this.name = 'ConfigError';
    this.complaints = complaints;
  }
}

/** sysexits.h: EX_CONFIG. */
export const EXIT_CONFIG = 78;

export type Environment = Readonly<Record<string, string | undefined>>;

/** The process's own environment; the only place that reads it. */
export const processEnvironment = (): Environment => process.env;

/** @throws {ConfigError} with every complaint. */
export function readConfig(env: Environment): Config {
  const { parsed, sources } = parseAll(env);
  const dataDir = resolve(expandHome(parsed.DATA_DIR));
  return Object.freeze({
    port: parsed.PORT,
    host: parsed.HOST,
    baseUrl: parsed.BASE_URL,
    databaseUrl: absoluteSqlite(parsed.DATABASE_URL ?? `sqlite:${dataDir}/latchkey.db`),
    dataDir,
    pluginDir: resolve(expandHome(parsed.PLUGIN_DIR ?? `${dataDir}/plugins`)),
    key: parsed.KEY,
    smtpUrl: parsed.SMTP_URL,
    mailFrom: parsed.MAIL_FROM,
    trustProxy: parsed.TRUST_PROXY,
    outboundAllow: parsed.OUTBOUND_ALLOW,
    isOutboundSaid: sources.get('OUTBOUND_ALLOW') !== 'default',
    proxy: proxyOf(env, parsed),
    hubUrl: parsed.HUB_URL,
    networkKey: parsed.NETWORK_KEY,
    logLevel: parsed.LOG_LEVEL,
    metricsToken: parsed.METRICS_TOKEN,
    safeMode: parsed.SAFE_MODE,
  });
}

/** What is set, from where; secrets as `(set)`. */
export function describeConfig(env: Environment): ConfigLine[] {
  const { parsed, sources } = parseAll(env);
  return names().map((name) => ({
    variable: `LATCHKEY_${name}`,
    value: shown(name, parsed[name]),
    source: sources.get(name) ?? 'default',
    help: variables[name].help,
  }));
}

const names = (): VariableName[] => Object.keys(variables) as VariableName[];

function shown(name: VariableName, value: Parsed[VariableName]): string {
  if (value === undefined) return '(not set)';
  return isSecret(name) ? '(set)' : String(value);
}

const isSecret = (name: VariableName): boolean => 'secret' in variables[name];

function parseAll(env: Environment): { parsed: Parsed; sources: Map<VariableName, ConfigLine['source']> } {
  const complaints: string[] = unknownNames(env);
  const sources = new Map<VariableName, ConfigLine['source']>();
  const parsed: Record<string, unknown> = {};
  for (const name of names()) {
    try {
      const { value, source } = rawValue(env, name);
      sources.set(name, source);
      const result = variables[name].schema.safeParse(value);
      if (result.success) parsed[name] = result.data;
      else complaints.push(complaint(name, result.error));
    } catch (error) {
      complaints.push(error instanceof Error ? error.message : String(error));
    }
  }
  if (parsed['SMTP_URL'] !== undefined && parsed['MAIL_FROM'] === undefined) {
    complaints.push(
      'LATCHKEY_MAIL_FROM is missing: LATCHKEY_SMTP_URL is set, so mail needs a sender address.',
    );
  }
  if (parsed['NETWORK_KEY'] !== undefined && parsed['HUB_URL'] === undefined) {
    complaints.push(
      'LATCHKEY_HUB_URL is missing: LATCHKEY_NETWORK_KEY is set, and must be shown to no other hub.',
    );
  }
  if (complaints.length > 0) throw new ConfigError(complaints);
  return { parsed: parsed as Parsed, sources };
}

function rawValue(
  env: Environment,
  name: VariableName,
): { value: string | undefined; source: ConfigLine['source'] } {
  const direct = saidIn(env, `LATCHKEY_${name}`);
  const path = isSecret(name) ? saidIn(env, `LATCHKEY_${name}_FILE`) : undefined;
  if (direct !== undefined && path !== undefined) {
    throw new Error(`LATCHKEY_${name} and LATCHKEY_${name}_FILE are both set: keep one of them.`);
  }
  if (path !== undefined) return { value: contentOf(name, path), source: 'file' };
  const value = direct ?? customary(env, name)?.value;
  return { value, source: value === undefined ? 'default' : 'environment' };
}

const proxyOf = (env: Environment, { PROXY, NO_PROXY }: Parsed): Config['proxy'] =>
  PROXY === undefined
    ? null
    : { url: PROXY, from: customary(env, 'PROXY')?.variable ?? 'LATCHKEY_PROXY', bypass: NO_PROXY ?? '' };

/** What all programs read, where ours says nothing. */
const customs: Partial<Record<VariableName, readonly string[]>> = {
  PROXY: ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'],
  NO_PROXY: ['NO_PROXY', 'no_proxy'],
};

function customary(env: Environment, name: VariableName): { variable: string; value: string } | undefined {
  if (saidIn(env, `LATCHKEY_${name}`) ?? saidIn(env, `LATCHKEY_${name}_FILE`)) return undefined;
  const variable = customs[name]?.find((known) => saidIn(env, known) !== undefined);
  return variable === undefined ? undefined : { variable, value: env[variable] ?? '' };
}

/** Empty is not said: that is how files of variables leave one out. */
const saidIn = (env: Environment, name: string): string | undefined => env[name] || undefined;

function contentOf(name: VariableName, path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new Error(`LATCHKEY_${name}_FILE names ${path}, which cannot be read.`, { cause: error });
  }
}

/** A misspelt variable is worse than a missing one: it looks set. Names for the tests are let through. */
const unknownNames = (env: Environment): string[] =>
  Object.keys(env)
    .filter((key) => key.startsWith('LATCHKEY_') && !key.startsWith('LATCHKEY_TEST_'))
    .filter((key) => !isKnown(key.slice('LATCHKEY_'.length)))
    .map((key) => `${key} is not a variable of Latchkey; \`latchkey config print\` lists them all.`);

function isKnown(name: string): boolean {
  const direct = names().find((known) => known === name);
  const asFile = names().find((known) => `${known}_FILE` === name);
  return direct !== undefined || (asFile !== undefined && isSecret(asFile));
}

const complaint = (name: VariableName, error: z.ZodError): string =>
  `LATCHKEY_${name}: ${error.issues.map(({ message }) => message).join('; ')}. ${variables[name].help}`;

const expandHome = (path: string): string => (path.startsWith('~/') ? `${homedir()}${path.slice(1)}` : path);

const absoluteSqlite = (url: string): string =>
  url.startsWith('sqlite:') ? `sqlite:${resolve(expandHome(url.slice('sqlite:'.length)))}` : url;
