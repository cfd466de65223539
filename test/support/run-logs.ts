import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newId } from '../../src/shared/ids.ts';
import { OWNER } from './house.ts';

/** What no log may tell, whatever a test did: our tokens, and the passwords that tests type. */
const SECRETS = [
  /\blk(?:inv|mail|net|pat|svc|ins|own|rst|cfm)(?:_|%5F)[0-9A-HJKMNP-TV-Z]{32}\b/gi,
  new RegExp(`${OWNER.password}|nine slow green tractors|four quiet words here`, 'g'),
];
/** A new house says its owner link to whoever started it; there is no other way to them. */
const SAID_ON_PURPOSE = /Owner link: \S+/g;

const logsOf = (folder: string): string => join(folder, 'logs');

export const makeLogFolder = async (folder: string): Promise<void> => {
  await mkdir(logsOf(folder), { recursive: true });
};

/** Every server of a run writes to a file of its own, which outlives it. */
export const newLogFile = (folder: string): string => join(logsOf(folder), `${newId()}.log`);

/** Where the servers of this run have told a secret; the secret itself is not said again. */
export async function secretsInLogs(folder: string): Promise<string[]> {
  const files = await readdir(logsOf(folder)).catch(() => []);
  const found: string[] = [];
  for (const file of files) {
    const lines = (await readFile(join(logsOf(folder), file), 'utf8')).split('\n');
    for (const line of lines) if (isTelling(line)) found.push(`${file}: ${redacted(line).slice(0, 300)}`);
  }
  return found;
}

export const isTelling = (line: string): boolean => {
  const rest = line.replace(SAID_ON_PURPOSE, '');
  return SECRETS.some((pattern) => rest.search(pattern) !== -1);
};

const redacted = (line: string): string =>
  SECRETS.reduce((text, pattern) => text.replace(pattern, '<secret>'), line);
