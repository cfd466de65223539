import { InvalidInputError } from 'latchkey/plugin-api';

/** As spreadsheets write it: some way of saying which alphabet it is, or none. */
const MOST_BYTES = 5 * 1024 * 1024;

/** Bytes no table begins with: a workbook, an older workbook, a PDF. */
const containers: readonly (readonly [kind: string, start: string])[] = [
  ['workbook', 'PK\u0003\u0004'],
  ['workbook', '\u00D0\u00CF\u0011\u00E0'],
  ['pdf', '%PDF'],
];

/**
 * The text of an uploaded table. UTF-8 and UTF-16 are recognised, with or without a mark; what is neither is read as Western
 * European, as older spreadsheets write it. What cannot be text is refused in words.
 */
export function textOfFile(bytes: Buffer): string {
  if (bytes.length > MOST_BYTES) throw refused('too_big', { megabytes: MOST_BYTES / 1024 / 1024 });
  const start = bytes.toString('latin1', 0, 8);
  const container = containers.find(([, mark]) => start.startsWith(mark));
  if (container) throw refused(`is_${container[0]}`);
  const text = decoded(bytes);
  if (text.includes('\u0000')) throw refused('not_text');
  return text;
}

function decoded(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return as('utf-16le', bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return as('utf-16be', bytes);
  const unmarked = unmarkedUtf16(bytes);
  if (unmarked !== null) return as(unmarked, bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return western(bytes);
  }
}

/** Every other byte of Western text in UTF-16 is empty. */
function unmarkedUtf16(bytes: Buffer): 'utf-16le' | 'utf-16be' | null {
  const sample = bytes.subarray(0, 400);
  if (sample.length < 8) return null;
  const empty = [0, 0];
  sample.forEach((byte, at) => {
    if (byte === 0) empty[at % 2] = (empty[at % 2] ?? 0) + 1;
  });
  const many = sample.length / 2 / 2;
  if ((empty[1] ?? 0) > many && empty[0] === 0) return 'utf-16le';
  if ((empty[0] ?? 0) > many && empty[1] === 0) return 'utf-16be';
  return null;
}

/** Windows-1252 has five places that mean nothing: whatever uses them is something else. */
function western(bytes: Buffer): string {
  if (bytes.some((byte) => unassigned.has(byte))) throw refused('unknown_encoding');
  return as('windows-1252', bytes);
}

const unassigned = new Set([0x81, 0x8d, 0x8f, 0x90, 0x9d]);

const as = (encoding: string, bytes: Buffer): string => new TextDecoder(encoding).decode(bytes);

const refused = (reason: string, params: Record<string, number> = {}): InvalidInputError =>
  new InvalidInputError('round.file', {
    fields: [{ field: 'file', code: `round.file_${reason}`, params }],
  });
