import type { Latchkey } from './compose.ts';
import type { Tx } from './db/database.ts';
import { holdBackground } from './jobs/index.ts';

/**
 * Yesterday's house does not know what today's has sent and to whom (ruling 32): nobody stays signed in, nothing leaves until an
 * administrator says so, and nobody lets themselves in by a key whose used seats were forgotten.
 */
export async function makeRestoreSafe(tx: Tx, { domains, ground }: Latchkey): Promise<void> {
  await domains.sessions.endEverybodys(tx);
  await holdBackground(tx, { name: 'restore', since: ground.clock.now(), reason: 'restore' });
}
