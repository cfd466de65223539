import { z } from 'zod';
import type { HubProblem } from '../hub-problem.ts';
import type { SupportRequest } from './support.ts';

const short = z.string().max(200);
const statusWords = z.enum(['new', 'open', 'pending', 'solved', 'closed']);
const standing = z.object({ id: short, reference: z.string().min(1).max(20), status: statusWords });
export type Standing = z.output<typeof standing>;

const said = z.object({
  id: z.string().min(1).max(40),
  kind: z.enum(['follow-up', 'solution']),
  author: z.string().transform((text) => text.slice(0, 200)),
  body: z.string().transform((text) => text.slice(0, 100_000)),
  writtenAt: z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
  files: z
    .array(
      z.object({
        id: z.string().regex(/^[0-9A-Za-z_-]{1,40}$/),
        name: z.string().transform((text) => text.slice(0, 255)),
        size: z.int().min(0),
      }),
    )
    .max(50)
    .catch([]),
});
const news = z.object({
  items: z
    .array(
      z.discriminatedUnion('isKnown', [
        z.object({ id: short, isKnown: z.literal(false) }),
        standing.extend({ isKnown: z.literal(true), version: z.int().min(0), said: z.array(said).max(200) }),
      ]),
    )
    .max(200),
});
export type News = z.output<typeof news>['items'][number];
export type Said = z.output<typeof said>;

const problem = z.object({ code: z.string().max(80), detail: z.string().catch('') });

/** What became of something that was sent to the hub. */
export type Outcome<T> =
  | { answer: T }
  /** The hub understood, and says no. */
  | { refused: { code: string; detail: string } }
  /** It may work later; `isGone` when it may have come and only the answer was lost. */
  | { problem: HubProblem; isGone: boolean };

export const readStanding = (text: string): Standing | null => standing.safeParse(jsonOf(text)).data ?? null;
export const readNews = (text: string): News[] | null => news.safeParse(jsonOf(text)).data?.items ?? null;

const FINAL = new Set([400, 403, 404, 409, 413, 422]);

/** A hub's own refusal, in its own words; anything else that has such a status may stand before the hub. */
export function readRefusal(status: number, text: string): { code: string; detail: string } | null {
  if (!FINAL.has(status)) return null;
  const read = problem.safeParse(jsonOf(text)).data;
  if (!read || read.code === 'page.not-found') return null;
  return { code: read.code, detail: read.detail.slice(0, 500) };
}

/** What the hub is told of what we know. */
export const knownOf = ({ id, reference, version }: SupportRequest): object => ({
  id,
  reference: reference ?? '',
  version,
});

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
