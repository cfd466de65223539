import { z } from 'zod';
import { parseManifest, PLUGIN_ID, type Manifest } from '../plugin-host/index.ts';

const short = z.string().transform((text) => text.slice(0, 300));
const long = z.string().transform((text) => text.slice(0, 20_000));
const digest = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.number().int().min(0).catch(0);
const instant = z.iso
  .datetime({ offset: true })
  .transform((text) => Date.parse(text))
  .catch(0);

const release = z.object({
  version: z.string().min(1).max(40),
  channel: z.enum(['stable', 'beta']).catch('stable'),
  latchkey: short.catch('*'),
  sha256: digest,
  size: z
    .number()
    .int()
    .min(1)
    .max(50 * 1024 * 1024),
  notes: long.catch(''),
  publishedAt: instant,
  withdrawn: z.enum(['no-installs', 'security']).nullable().catch('no-installs'),
  reason: short.nullish().transform((text) => text ?? null),
});

/** A list in which one bad line spoils only itself. */
const lenient = <T extends z.ZodType>(line: T): z.ZodType<z.output<T>[]> =>
  z
    .array(z.unknown())
    .max(200)
    .catch([])
    .transform((lines) =>
      lines.flatMap((one) => {
        const parsed = line.safeParse(one);
        return parsed.success ? [parsed.data] : [];
      }),
    );

const item = z.object({
  id: z.string().regex(PLUGIN_ID).max(48),
  publisher: short.catch(''),
  license: short.catch(''),
  homepage: z
    .url({ protocol: /^https?$/ })
    .max(300)
    .nullish()
    .catch(null)
    .transform((text) => text ?? null),
  words: z.record(z.string().max(5), z.object({ name: short, description: short })).catch({}),
  readme: z.record(z.string().max(5), long).catch({}),
  tags: lenient(z.string().min(1).max(60)),
  symbol: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/)
    .catch('puzzle'),
  icon: digest.nullish().catch(null),
  screenshots: lenient(z.object({ name: short, sha256: digest })),
  requiredOffers: lenient(z.string().min(1).max(60)),
  trialDays: count,
  downloads: count,
  stars: z.number().min(0).max(5).catch(0),
  ratings: count,
  opinions: lenient(z.object({ stars: z.int().min(1).max(5), sentence: short, at: instant })),
  addedAt: instant,
  updatedAt: instant,
  manifest: z.unknown().transform(manifestFrom),
  releases: lenient(release),
});

/** A plugin of the catalogue, in our words. */
export type CatalogueItem = z.output<typeof item>;
export type CatalogueRelease = z.output<typeof release>;

const page = z.object({ items: z.array(z.unknown()).max(500), total: z.number().int().min(0) });
const offersAnswer = z.object({
  items: lenient(z.object({ reference: z.string().max(60), title: z.string().max(80) })),
});
export type HubOffer = z.output<typeof offersAnswer>['items'][number];

const average = z.object({ stars: z.number().min(0).max(5), ratings: z.int().min(0) });
export type Average = z.output<typeof average>;
export const readAverage = (text: string): Average | null => average.safeParse(jsonOf(text)).data ?? null;

/** Null when it is no page of a catalogue; its lines are read one by one. */
export function readPage(text: string): { lines: unknown[]; total: number } | null {
  const parsed = page.safeParse(jsonOf(text));
  return parsed.success ? { lines: parsed.data.items, total: parsed.data.total } : null;
}

/** Entries that nobody could use are left out. */
export const readItems = (lines: readonly unknown[]): CatalogueItem[] =>
  lines.flatMap((line) => {
    const read = item.safeParse(line);
    return read.success ? [read.data] : [];
  });

export const readOffers = (text: string): HubOffer[] =>
  offersAnswer.safeParse(jsonOf(text)).data?.items ?? [];

function manifestFrom(value: unknown): Manifest | null {
  try {
    return parseManifest(value);
  } catch {
    return null;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
