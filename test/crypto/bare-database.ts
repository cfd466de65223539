import type { Database } from '../../src/db/database.ts';
import { CORE, migrate } from '../../src/db/migrations.ts';
import { migration as ground } from '../../migrations/0001-ground.ts';
import { migration as audit } from '../../migrations/0003-audit.ts';
import { migration as auditNode } from '../../migrations/0010-audit-node.ts';
import { openFreshDatabase, type Engine } from '../support/databases.ts';

/** A database in which nobody has wrapped a key or said a setting. */
export async function bareDatabase(engine: Engine): Promise<{ db: Database; url: string }> {
  const { db, url } = await openFreshDatabase(engine, { empty: true });
  await migrate(db, CORE, [ground, audit, auditNode]);
  return { db, url };
}
