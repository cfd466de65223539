import type { Domains } from './compose-domains.ts';
import type { Ground } from './compose-ground.ts';
import type { Tx } from './db/database.ts';
import { holdBackground, releaseBackground } from './jobs/index.ts';
import { registrationPaused } from './settings/index.ts';
import { system, type Actor } from './shared/actor.ts';

const HOLD = 'restore';

/**
 * Yesterday's house does not know what today's has sent and to whom (ruling 32): nobody stays signed in, nothing leaves until an
 * administrator says so, and nobody lets themselves in by a key whose used seats were forgotten.
 */
export async function makeRestoreSafe(
  tx: Tx,
  { domains, ground }: { domains: Domains; ground: Ground },
): Promise<void> {
  ground.settings.forget();
  await domains.sessions.endEverybodys(tx);
  await holdBackground(tx, { name: HOLD, since: ground.clock.now(), reason: 'restore' });
  await ground.settings.set(tx, system, registrationPaused, true);
}

/** Lets mail, events and jobs go on, and people join again. Answers whether anything was held. */
export async function releaseAfterRestore({ ground }: { ground: Ground }, actor: Actor): Promise<boolean> {
  return ground.db.transaction(async (tx) => {
    const wasHeld = (await releaseBackground(tx, HOLD)) > 0;
    if (!wasHeld) return false;
    await ground.settings.set(tx, actor, registrationPaused, false);
    const subject = { type: 'backup', id: HOLD, label: HOLD };
    await ground.audit.record(tx, actor, { action: 'backup.released', subject });
    return true;
  });
}
