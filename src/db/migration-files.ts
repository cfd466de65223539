import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Migration } from './migrations.ts';

const NUMBERED = /^\d{4}-[a-z0-9-]+\.ts$/;

/** Every migration of a folder in the order of its numbers: `0002-identity.ts` exports `migration`, named `0002-identity`. */
export async function loadMigrations(folder: string): Promise<Migration[]> {
  const files = (await readdir(folder)).filter((file) => NUMBERED.test(file)).sort();
  return Promise.all(files.map((file) => loadMigration(folder, file)));
}

async function loadMigration(folder: string, file: string): Promise<Migration> {
  const path = `${basename(folder)}/${file}`;
  const { migration } = (await import(pathToFileURL(join(folder, file)).href).catch((cause: unknown) => {
    throw new Error(`${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  })) as { migration?: Migration };
  const expected = file.replace(/\.ts$/, '');
  if (migration?.name !== expected) {
    throw new Error(`${path} must export a migration named "${expected}"`);
  }
  if (!Array.isArray(migration.up)) throw new Error(`${path}: "up" must be a list of statements`);
  return migration;
}
