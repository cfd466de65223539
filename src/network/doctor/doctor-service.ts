import type { Database } from '../../db/database.ts';
import type { Outbound } from '../../outbound/outbound.ts';
import type { Probe } from '../../outbound/probe.ts';
import type { ProxyRule } from '../../outbound/proxy.ts';
import type { NotificationService } from '../../notifications/index.ts';
import { system, type Actor } from '../../shared/actor.ts';
import type { Clock } from '../../shared/clock.ts';
import { ForbiddenError } from '../../shared/errors.ts';
import { examine, redAmong, type Finding } from './doctor.ts';
import { findRun, storeRun, type DoctorRun } from './doctor-repository.ts';
import { lookAtFolder, lookAtPlugins, type Misfit } from './house-looks.ts';
import { hubLooks, type HubLookDeps } from './hub-looks.ts';
import { lineLooks, lookedAt } from './line-looks.ts';
import { networkNotice } from './network-notice.ts';

interface Deps extends HubLookDeps {
  db: Database;
  clock: Clock;
  probe: Probe;
  outbound: Pick<Outbound, 'send' | 'assertCallable'>;
  proxies: ProxyRule;
  address: () => Promise<string>;
  isOwn: (url: URL) => Promise<boolean>;
  notifications: Pick<NotificationService, 'notify'>;
  /** Whoever may mend what is found. */
  caretakers: () => Promise<{ id: string }[]>;
  /** Where packages are unpacked. */
  folder: string;
}

/** Looks at every layer between here and the hub, and says which one fails. */
export class NetworkDoctor {
  readonly #deps: Deps;
  #misfits: () => Promise<Misfit[]> = () => Promise.resolve([]);

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Which plugins do not fit; they stand on a higher floor. */
  askForMisfits(misfits: () => Promise<Misfit[]>): void {
    this.#misfits = misfits;
  }

  async last(actor: Actor): Promise<DoctorRun | null> {
    assertMayManage(actor);
    return findRun(this.#deps.db);
  }

  /** Takes up to 45 seconds; the page does not wait for it. */
  async run(actor: Actor): Promise<Finding[]> {
    assertMayManage(actor);
    const { db, clock, folder, address } = this.#deps;
    const hub = await address();
    const url = URL.parse(hub);
    const isOwn = url !== null && (await this.#deps.isOwn(url));
    const looks = {
      ...lineLooks(this.#deps, { hub, isOwn }),
      ...hubLooks(this.#deps, { actor, hub }),
      folder: () => lookAtFolder(folder),
      plugins: async () => lookAtPlugins(await this.#misfits()),
    };
    const findings = await examine(looks, lookedAt);
    const before = await findRun(db);
    const run = { ranAt: clock.now(), findings, beforeThat: before?.findings ?? null };
    await db.transaction((tx) => storeRun(tx, run));
    return findings;
  }

  /** Told once, when a light turns red, or red for another reason than before. */
  async lookAtNight(): Promise<void> {
    const { db, address, notifications, caretakers } = this.#deps;
    if ((await address()) === '') return;
    const before = await findRun(db);
    const red = redAmong(await this.run(system));
    if (red === null || red.problem === redAmong(before?.findings ?? [])?.problem) return;
    const userIds = (await caretakers()).map(({ id }) => id);
    await db.transaction((tx) =>
      notifications.notify(tx, {
        userIds,
        kind: networkNotice.id,
        subject: { type: 'network', id: 'doctor' },
        link: '/admin/network/doctor',
        params: { problem: red.problem ?? '', step: red.step },
      }),
    );
  }
}

function assertMayManage(actor: Actor): void {
  if (!actor.can('network.manage')) throw new ForbiddenError('forbidden');
}
