import type { Host } from 'latchkey/plugin-api';
import { ReleaseService } from '../../plugins/network-hub/src/release-service.ts';
import { signCeremony, TrustService } from '../../plugins/network-hub/src/trust/trust-service.ts';
import { newKeyPair, signPackage } from '../../src/network/index.ts';
import { system } from '../../src/shared/actor.ts';
import { packageOf, sayingVersion } from '../plugin-host/packages.ts';
import { hours } from './clock.ts';
import type { Engine } from './databases.ts';
import { startTestApp, type TestApp } from './test-app.ts';
import { keyFor, startHub } from './two-houses.ts';

/** A vendor's hub after its first ceremony. */
export interface SignedHub extends TestApp {
  trust: TrustService;
  releases: ReleaseService;
  fingerprint: string;
  /** The private keys of the three keepers. */
  keepers: string[];
  publisherKey: string;
}

/** The publisher of `packageOf`. */
const PUBLISHER = 'test';

export async function startSignedHub(engine: Engine = 'sqlite'): Promise<SignedHub> {
  const app = await startHub(engine);
  const host = await hostIn(app);
  const trust = new TrustService(host);
  const publisher = newKeyPair();
  await trust.wantPublisher(system, PUBLISHER, publisher.publicKey);
  const keepers = await trust.establish(system);
  const fingerprint = (await trust.look())?.fingerprint ?? '';
  const releases = new ReleaseService(host, trust);
  return Object.assign(app, { trust, releases, keepers, fingerprint, publisherKey: publisher.privateKey });
}

/** What two of the keepers do when something waits for them. */
export async function holdCeremony({ trust, keepers }: SignedHub): Promise<void> {
  const drafted = await trust.begin(system);
  await trust.finish(system, JSON.stringify(signCeremony(drafted, keepers.slice(0, 2))));
}

/** A plugin with a page that says its version, signed by its publisher. */
export async function publishSigned(
  { releases, publisherKey }: SignedHub,
  id: string,
  { version = '1.0.0', ...facts }: { version?: string; offer?: string; trialDays?: number } = {},
  draft: Parameters<typeof packageOf>[2] = {},
): Promise<Buffer> {
  const manifest = { engines: { latchkey: '>=0.1.0 <1.0.0' }, ...draft.manifest };
  const files = { ...sayingVersion(version), ...draft.files };
  const packed = await packageOf(id, version, { ...draft, manifest, files, isListed: true });
  const { text: signature } = await signPackage(packed, publisherKey);
  await releases.publish(system, packed, { channel: 'stable', signature, ...facts });
  return packed;
}

/** A helpdesk registered there, whose administrator has compared the fingerprint. */
export async function startTrustingDesk(
  hub: SignedHub,
  { offer = 'network-basic', engine = 'sqlite' }: { offer?: string; engine?: Engine } = {},
): Promise<TestApp> {
  const { clock, origin } = hub;
  const desk = await startTestApp({ engine, clock, config: { HUB_URL: origin } });
  const { network, trust, jobs } = desk.house.domains;
  await network.setKey(system, await keyFor(hub, offer));
  await jobs.runNow('network.trust');
  await trust.confirm(system, hub.fingerprint);
  await hearAll(desk, hub);
  return desk;
}

/** A day later, with what the background of both does by itself in time. */
export async function hearAll(desk: TestApp, hub: SignedHub): Promise<void> {
  const { network, jobs } = desk.house.domains;
  // What is under way is not to see the clock jump.
  await network.settled();
  desk.clock.advance(hours(25));
  await hub.trust.renew();
  await network.checkNow(system);
  await jobs.runNow('network.trust');
  await desk.house.marketplace.refreshSoon(system);
  await desk.house.reader.refresh();
  await jobs.runNow('marketplace.stops');
}

/** As one click does it, to the end. */
export async function installed(
  { house: { marketplace } }: TestApp,
  id: string,
  options: { asTrial?: boolean } = {},
): Promise<Awaited<ReturnType<typeof marketplace.finished>>> {
  const begun = await marketplace.install(system, id, undefined, options);
  return marketplace.finished(system, begun.id);
}

/** As the plugin's own setup has it. */
export async function hostIn({ house, db, clock }: TestApp): Promise<Host> {
  const { keys, audit } = house.ground;
  const host = {
    db,
    clock,
    audit,
    keys: await keys.ring('plugin:network-hub'),
    transaction: db.transaction.bind(db),
  };
  return host as unknown as Host;
}
