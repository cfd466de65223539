import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const ALSO_LOOK_IN = ['/usr/sbin', '/usr/local/sbin', '/opt/homebrew/bin'];

/** Where a program is, on PATH or where servers are usually put; null when it is not installed. */
export function findProgram(...names: string[]): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...ALSO_LOOK_IN];
  const candidates = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return candidates.find(isExecutable) ?? null;
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
