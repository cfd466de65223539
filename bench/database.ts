import { Database } from '../src/db/database.ts';
import type { Place } from './ground.ts';

/** Looks into the database of a place, beside the servers that use it. */
export async function openDatabase<T>(
  { databaseUrl }: Place,
  look: (db: Database) => Promise<T>,
): Promise<T> {
  const db = Database.open(databaseUrl);
  try {
    return await look(db);
  } finally {
    await db.close();
  }
}
