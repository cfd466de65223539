import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import busboy, { type FileInfo } from 'busboy';
import { fileTypeFromFile } from 'file-type';
import { InvalidInputError } from '../shared/errors.ts';
import type { UploadedFile } from './route.ts';

export interface UploadLimits {
  folder: string;
  maxBytes: number;
  maxFiles: number;
}

export interface Received {
  fields: Record<string, string | string[]>;
  files: UploadedFile[];
  /** Removes what nobody moved away. */
  discard(): Promise<void>;
}

const MAX_FIELDS = 200;
const MAX_FIELD_BYTES = 1024 * 1024;

/** Streams a multipart body to disk under names of ours; too big, too many or cut short is refused and leaves nothing. */
export async function receiveUploads(request: IncomingMessage, limits: UploadLimits): Promise<Received> {
  await mkdir(limits.folder, { recursive: true });
  const fields = new Map<string, string[]>();
  const writing: Promise<UploadedFile>[] = [];
  const discard = async (): Promise<void> => {
    const settled = await Promise.allSettled(writing);
    const kept = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    await Promise.all(kept.map(({ path }) => rm(path, { force: true })));
  };
  try {
    await new Promise<void>((resolve, reject) => {
      const refuse = (code: string, params = {}): void => {
        reject(new InvalidInputError(code, { params }));
      };
      const parser = busboy({
        headers: request.headers,
        defParamCharset: 'utf8',
        limits: {
          fileSize: limits.maxBytes,
          files: limits.maxFiles,
          fields: MAX_FIELDS,
          fieldSize: MAX_FIELD_BYTES,
        },
      });
      parser.on('field', (name, value) => {
        fields.set(name, [...(fields.get(name) ?? []), value]);
      });
      parser.on('file', (field, stream: Readable, info) => {
        const saved = save(field, stream, info, limits);
        saved.catch(reject);
        writing.push(saved);
      });
      parser.on('filesLimit', () => {
        refuse('upload.too-many', { maximum: limits.maxFiles });
      });
      parser.on('fieldsLimit', () => {
        refuse('upload.too-many-fields');
      });
      parser.on('error', () => {
        refuse('upload.broken');
      });
      parser.on('close', resolve);
      request.on('aborted', () => {
        refuse('upload.broken');
      });
      request.pipe(parser);
    });
    const files = (await Promise.all(writing)).filter(({ name, size }) => name !== '' || size > 0);
    return {
      fields: Object.fromEntries([...fields].map(([name, values]) => [name, single(values)])),
      files,
      discard,
    };
  } catch (error) {
    request.unpipe();
    request.resume();
    await discard();
    throw error;
  }
}

const single = (values: string[]): string | string[] => (values.length === 1 ? (values[0] ?? '') : values);

async function save(
  field: string,
  stream: Readable & { truncated?: boolean },
  { filename }: Pick<FileInfo, 'filename'>,
  limits: UploadLimits,
): Promise<UploadedFile> {
  const path = join(limits.folder, randomUUID());
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
  });
  await pipeline(stream, createWriteStream(path, { mode: 0o600 }));
  if (stream.truncated) {
    await rm(path, { force: true });
    throw new InvalidInputError('upload.too-big', {
      params: { maximum: Math.floor(limits.maxBytes / 1024 / 1024) },
    });
  }
  const sniffed = await fileTypeFromFile(path);
  return {
    field,
    name: cleanName(filename),
    path,
    size,
    mediaType: sniffed?.mime ?? 'application/octet-stream',
    read: () => readFile(path),
  };
}

const MAX_NAME = 150;

/** Control, format and zero-width characters go first: they have been used to hide an ending (FreeScout CVE-2026-28289). */
export function cleanName(name: string | undefined): string {
  const bare = (name ?? '').normalize('NFKC').replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '');
  const base = bare.split(/[/\\]/).at(-1) ?? '';
  return base
    .replace(/[<>:"|?*]/g, '_')
    .replace(/^\.+/, '')
    .trim()
    .slice(-MAX_NAME);
}

/** The same for what we have fetched ourselves: on disk, under a name of ours, judged by its first bytes. */
export async function saveFetched(
  bytes: Uint8Array,
  { name, folder }: { name: string; folder: string },
): Promise<UploadedFile> {
  await mkdir(folder, { recursive: true });
  return save(
    '',
    Readable.from([bytes]),
    { filename: name },
    {
      folder,
      maxBytes: bytes.length,
      maxFiles: 1,
    },
  );
}
