import { z } from 'zod';
import type { CookieChange, Flash } from './reply.ts';

export const FLASH_COOKIE = 'flash';

const flash = z.object({
  kind: z.enum(['success', 'info', 'warning', 'danger']),
  code: z.string(),
  params: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
  undo: z.object({ action: z.string().regex(/^\/(?![/\\])/), label: z.string() }).optional(),
});

/** It travels in the browser for one redirect; what comes back is a key of ours and escaped text, whoever wrote it. */
export const flashCookie = (content: Flash): CookieChange => ({
  name: FLASH_COOKIE,
  value: Buffer.from(JSON.stringify(content)).toString('base64url'),
  maxAge: 60,
});

export function readFlash(value: string | undefined): Flash | null {
  if (value === undefined || value === '') return null;
  try {
    const parsed = flash.safeParse(JSON.parse(Buffer.from(value, 'base64url').toString()));
    return parsed.success ? (parsed.data as Flash) : null;
  } catch {
    return null;
  }
}
