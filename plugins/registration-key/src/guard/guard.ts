import type { Host } from 'latchkey/plugin-api';
import type { KeyCare } from '../seats/key-care.ts';
import type { KeyDoor } from '../keys/key-door.ts';
import type { KeyService } from '../keys/key-service.ts';
import type { ProofBox } from '../seats/proofs.ts';
import type { RosterBook } from '../roster/roster-book.ts';
import { personSlot } from '../tree/person-slot.ts';
import { treeRoutes } from '../tree/tree-routes.ts';
import { TreeService } from '../tree/tree-service.ts';
import { Breaker } from './breaker.ts';
import type { Evidence } from './evidence.ts';
import { guardApi } from './guard-api.ts';
import { guardCommands } from './guard-commands.ts';
import { guardRoutes } from './guard-routes.ts';
import { LeakReports } from './leak-reports.ts';
import { RedeemedBy } from './redeemed-by.ts';
import { SecretRenewal } from './secret-renewal.ts';
import { revokeRoutes } from './revoke-routes.ts';
import { UndoService } from './undo-service.ts';

interface Deps {
  host: Host;
  evidence: Evidence;
  care: KeyCare;
  keys: KeyService;
  door: KeyDoor;
  proofs: ProofBox;
  rosters: RosterBook;
}

export interface Guard {
  evidence: Evidence;
  breaker: Breaker;
  undo: UndoService;
}

/** What watches over keys that are out in the world: evidence, the breaker, leaks and who brought whom. */
export function standGuard({ host, evidence, care, keys, door, proofs, rosters }: Deps): Guard {
  const breaker = new Breaker({ host, care, keys });
  const undo = new UndoService(host);
  const reports = new LeakReports({ host, door, care });
  const redeemedBy = new RedeemedBy({ host, keys });
  const tree = new TreeService(host);

  host.routes([
    ...guardRoutes({ host, keys, evidence, breaker, undo, reports, redeemedBy }),
    ...revokeRoutes({ host, keys, undo }),
    ...treeRoutes({ host, tree }),
    ...guardApi({ host, keys, evidence, breaker, undo, tree }),
  ]);
  for (const command of guardCommands({ host, keys, evidence, undo })) host.command(command);
  personSlot({ host, tree });
  host.job('watch-keys', async ({ signal }) => {
    await breaker.watch(signal);
  });
  host.job('undo-leaks', ({ signal }) => undo.work(signal));
  host.job('forget-networks', ({ signal }) => evidence.forgetNetworks(signal));
  host.job('renew-secrets', async ({ signal }) => {
    await new SecretRenewal({ host, door, proofs, rosters }).run(signal);
  });
  host.job('note-openings', async () => {
    await evidence.writeOpened();
    await door.shownAgain.write();
  });
  return { evidence, breaker, undo };
}
