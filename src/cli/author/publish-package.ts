import { basename } from 'node:path';
import { z } from 'zod';
import { Outbound } from '../../outbound/outbound.ts';
import { ConflictError, InvalidInputError } from '../../shared/errors.ts';

interface Wanted {
  /** Without a slash at its end. */
  hub: string;
  token: string;
  file: string;
  bytes: Buffer;
  /** As the form of the hub calls them; what is not said stays as it was. */
  facts: Record<string, string>;
}

const published = z.object({ id: z.string(), version: z.string(), channel: z.string(), sha256: z.string() });
const refused = z.object({ code: z.string(), detail: z.string().default('') });
const TIMEOUT_MS = 120_000;

/** Sends a package to a hub. The token goes to that address only. */
export async function publishPackage({
  hub,
  token,
  file,
  bytes,
  facts,
}: Wanted): Promise<z.output<typeof published>> {
  const form = new FormData();
  form.set('package', new File([new Uint8Array(bytes)], basename(file), { type: 'application/gzip' }));
  for (const [name, value] of Object.entries(facts)) form.set(name, value);
  const packed = new Response(form);
  // Whoever publishes names the hub, which may well stand inside.
  const outbound = new Outbound({ allowed: 'all' });
  try {
    const { status, text } = await outbound.send({
      url: `${hub}/api/network/v1/releases`,
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/json',
        'content-type': packed.headers.get('content-type') ?? '',
      },
      body: new Uint8Array(await packed.arrayBuffer()),
      timeoutMs: TIMEOUT_MS,
    });
    const answer: unknown = jsonOf(text);
    const done = published.safeParse(answer);
    if (status === 201 && done.success) return done.data;
    const { code = '', detail = '' } = refused.safeParse(answer).data ?? {};
    throw new ConflictError('author.not-published', { params: { status, code, detail } });
  } finally {
    await outbound.close();
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InvalidInputError('author.no-hub', { cause });
  }
}
