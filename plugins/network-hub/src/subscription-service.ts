import {
  checkToken,
  ConflictError,
  digestOf,
  ForbiddenError,
  InvalidInputError,
  maskToken,
  mintToken,
  newId,
  NotFoundError,
  type Actor,
  type Host,
  type Tx,
} from 'latchkey/plugin-api';
import {
  isRunning,
  stateOf,
  type HubKey,
  type Instance,
  type Offer,
  type Subscription,
} from './subscription.ts';
import {
  countInstances,
  deleteInstance,
  endKey,
  findInstance,
  findInstanceById,
  findKey,
  findKeyByDigest,
  findSubscription,
  insertKey,
  insertSubscription,
  listInstances,
  listKeys,
  listOffers,
  listSubscriptions,
  noteInstance,
  noteKeySeen,
  revokeKey,
} from './subscription-repository.ts';
import { noteSeenDay } from './usage-repository.ts';
import { dayOf } from './day.ts';

export interface SubscriptionDraft {
  email: string;
  owner: string;
  offer: string;
  beginsAt: number;
  endsAt: number | null;
}

export type Overlap = 'now' | 'day' | 'week';

/** What a key that was shown to us stands for. */
export type Shown =
  | { state: 'unknown' | 'revoked' | 'ended' }
  | { state: 'valid'; keyId: string; subscription: Subscription; offer: Offer; isRunning: boolean };

export interface SubscriptionView extends Subscription {
  isRunning: boolean;
  offerTitle: string;
  keys: (HubKey & { state: ReturnType<typeof stateOf> })[];
  instances: Instance[];
}

interface SubscriptionStanding {
  subscription: Subscription;
  offer: Offer;
  isRunning: boolean;
  instance: Instance | null;
}

const MOST_KEYS = 10;
const MOST_INSTANCES = 1_000;
const SEEN_EVERY_MS = 60_000;
const DAY_MS = 86_400_000;
const overlaps: Record<Overlap, number> = { now: 0, day: DAY_MS, week: 7 * DAY_MS };

/** Who has taken which offer, the keys that say so, and the helpdesks that show them. */
export class SubscriptionService {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  offers(): Promise<Offer[]> {
    return listOffers(this.#host.db);
  }

  /** All of them, for the vendor. */
  async all(actor: Actor): Promise<SubscriptionView[]> {
    assertVendor(actor);
    return this.#views(await listSubscriptions(this.#host.db));
  }

  /** One's own. */
  async mine(actor: Actor): Promise<SubscriptionView[]> {
    return this.#views(await listSubscriptions(this.#host.db, { userId: idOf(actor) }));
  }

  async add(actor: Actor, { email, ...draft }: SubscriptionDraft): Promise<Subscription> {
    assertVendor(actor);
    const person = await this.#host.users.findByEmail(email);
    if (!person) throw wrong('email', 'hub.no-such-customer');
    if (!(await this.offers()).some(({ reference }) => reference === draft.offer))
      throw wrong('offer', 'hub.no-such-offer');
    if (draft.endsAt !== null && draft.endsAt <= draft.beginsAt)
      throw wrong('ends', 'hub.ends-before-it-begins');
    return this.#insert(actor, { ...draft, userId: person.id });
  }

  /** The free offer needs nobody's consent; one is enough. */
  async takeFree(actor: Actor): Promise<Subscription> {
    const userId = idOf(actor);
    const free = (await this.offers()).find(({ isFree }) => isFree);
    if (!free) throw new NotFoundError('hub.no-such-offer');
    if ((await listSubscriptions(this.#host.db, { userId })).some(({ offer }) => offer === free.reference))
      throw new ConflictError('hub.registered-already');
    const now = this.#host.clock.now();
    return this.#insert(actor, {
      userId,
      owner: actor.name,
      offer: free.reference,
      beginsAt: now,
      endsAt: null,
    });
  }

  /** The only time the key is in the clear. */
  async mint(actor: Actor, subscriptionId: string): Promise<string> {
    const subscription = await this.#mine(actor, subscriptionId);
    return this.#host.transaction((tx) => this.#mint(tx, actor, subscription));
  }

  /** A new key; the old one goes at once, or after a while in which both work. */
  async roll(actor: Actor, keyId: string, overlap: Overlap): Promise<string> {
    const { key, subscription } = await this.#myKey(actor, keyId);
    const now = this.#host.clock.now();
    return this.#host.transaction(async (tx) => {
      if (!(await endKey(tx, key.id, { endsAt: now + overlaps[overlap] })))
        throw new ConflictError('hub.key-ended');
      return this.#mint(tx, actor, subscription);
    });
  }

  async revoke(actor: Actor, keyId: string): Promise<void> {
    const { key } = await this.#myKey(actor, keyId);
    await this.#host.transaction(async (tx) => {
      if (!(await revokeKey(tx, key.id, this.#host.clock.now()))) throw new ConflictError('hub.key-ended');
      await this.#record(tx, actor, 'key-revoked', key);
    });
  }

  /** A helpdesk that is no more is taken off the list; one that shows its key again comes back. */
  async release(actor: Actor, instanceId: string): Promise<void> {
    const instance = await findInstanceById(this.#host.db, instanceId);
    if (!instance) throw new NotFoundError('hub.no-such-subscription');
    const subscription = await this.#mine(actor, instance.subscriptionId);
    await this.#host.transaction(async (tx) => {
      await deleteInstance(tx, instance.id);
      await this.#host.audit.record(tx, actor, {
        action: 'network-hub.instance-released',
        subject: { type: 'hub-subscription', id: subscription.id, label: subscription.owner },
        before: { uid: instance.uid, program: instance.program },
      });
    });
  }

  /** What a helpdesk shows us. Only a key whose check symbols hold is looked up at all. */
  async judge(text: string): Promise<Shown> {
    const checked = checkToken(text, 'lknet_');
    return checked.ok ? this.judgeDigest(digestOf(checked.normal)) : { state: 'unknown' };
  }

  /** The same for whoever has only its digest, as in a file that was carried here. */
  async judgeDigest(digest: Buffer): Promise<Shown> {
    const { db, clock } = this.#host;
    const key = await findKeyByDigest(db, digest);
    if (!key) return { state: 'unknown' };
    const state = stateOf(key, clock.now());
    if (state === 'revoked' || state === 'ended') return { state };
    const subscription = await findSubscription(db, key.subscriptionId);
    const offer = (await this.offers()).find(({ reference }) => reference === subscription?.offer);
    if (!subscription || !offer) return { state: 'unknown' };
    return {
      state: 'valid',
      keyId: key.id,
      subscription,
      offer,
      isRunning: isRunning(subscription, clock.now()),
    };
  }

  /** What somebody has taken, and what is known of the installation that asks. */
  async standing({
    subscriptionId,
    uid,
  }: Pick<Instance, 'subscriptionId' | 'uid'>): Promise<SubscriptionStanding | null> {
    const { db, clock } = this.#host;
    const subscription = await findSubscription(db, subscriptionId);
    const offer = (await this.offers()).find(({ reference }) => reference === subscription?.offer);
    if (!subscription || !offer) return null;
    const instance = await findInstance(db, { subscriptionId, uid });
    return { subscription, offer, instance, isRunning: isRunning(subscription, clock.now()) };
  }

  /** Who showed it; at most one note a minute, so that asking stays reading. */
  async noteInstance(
    keyId: string,
    { subscriptionId, uid, program }: Pick<Instance, 'subscriptionId' | 'uid' | 'program'>,
  ): Promise<void> {
    const { db, clock } = this.#host;
    const now = clock.now();
    const known = await findInstance(db, { subscriptionId, uid });
    if (known && known.program === program && now - known.seenAt < SEEN_EVERY_MS) return;
    if (!known && (await countInstances(db, subscriptionId)) >= MOST_INSTANCES) return;
    await this.#host.transaction(async (tx) => {
      const instance = { id: newId(), subscriptionId, uid, program, firstSeenAt: now, seenAt: now };
      await noteInstance(tx, instance);
      const kept = await findInstance(tx, { subscriptionId, uid });
      if (kept) await noteSeenDay(tx, dayOf(now), kept.id);
      await noteKeySeen(tx, keyId, now);
    });
  }

  async #insert(actor: Actor, draft: Omit<Subscription, 'id' | 'createdAt'>): Promise<Subscription> {
    const subscription = { ...draft, id: newId(), createdAt: this.#host.clock.now() };
    await this.#host.transaction(async (tx) => {
      await insertSubscription(tx, subscription);
      await this.#host.audit.record(tx, actor, {
        action: 'network-hub.subscribed',
        subject: { type: 'hub-subscription', id: subscription.id, label: subscription.owner },
        after: { offer: subscription.offer, userId: subscription.userId },
      });
    });
    return subscription;
  }

  async #mint(tx: Tx, actor: Actor, subscription: Subscription): Promise<string> {
    const now = this.#host.clock.now();
    const known = await listKeys(tx, [subscription.id]);
    if (known.filter((key) => stateOf(key, now) === 'works').length >= MOST_KEYS)
      throw new ConflictError('hub.too-many-keys', { params: { limit: MOST_KEYS } });
    const secret = mintToken('lknet_');
    const key: HubKey = {
      id: newId(),
      subscriptionId: subscription.id,
      mark: maskToken(secret),
      createdAt: now,
      endsAt: null,
      revokedAt: null,
      seenAt: null,
    };
    await insertKey(tx, key, digestOf(secret));
    await this.#record(tx, actor, 'key-minted', key);
    return secret;
  }

  async #views(subscriptions: readonly Subscription[]): Promise<SubscriptionView[]> {
    const { db, clock } = this.#host;
    const now = clock.now();
    const ids = subscriptions.map(({ id }) => id);
    const [offers, keys, instances] = [
      await this.offers(),
      await listKeys(db, ids),
      await listInstances(db, ids),
    ];
    return subscriptions.map((subscription) => ({
      ...subscription,
      isRunning: isRunning(subscription, now),
      offerTitle:
        offers.find(({ reference }) => reference === subscription.offer)?.title ?? subscription.offer,
      keys: keys
        .filter(({ subscriptionId }) => subscriptionId === subscription.id)
        .map((key) => ({ ...key, state: stateOf(key, now) })),
      instances: instances.filter(({ subscriptionId }) => subscriptionId === subscription.id),
    }));
  }

  /** What is another's does not exist; the vendor sees all. */
  async #mine(actor: Actor, id: string): Promise<Subscription> {
    const subscription = await findSubscription(this.#host.db, id);
    if (!subscription || (subscription.userId !== idOf(actor) && !actor.can('network-hub.manage')))
      throw new NotFoundError('hub.no-such-subscription');
    return subscription;
  }

  async #myKey(actor: Actor, id: string): Promise<{ key: HubKey; subscription: Subscription }> {
    const key = await findKey(this.#host.db, id);
    if (!key) throw new NotFoundError('hub.no-such-subscription');
    return { key, subscription: await this.#mine(actor, key.subscriptionId) };
  }

  #record(tx: Tx, actor: Actor, what: string, { id, mark }: HubKey): Promise<void> {
    return this.#host.audit.record(tx, actor, {
      action: `network-hub.${what}`,
      subject: { type: 'hub-key', id, label: mark },
    });
  }
}

function assertVendor(actor: Actor): void {
  if (!actor.can('network-hub.manage')) throw new ForbiddenError('hub.vendor-only');
}

function idOf({ userId }: Actor): string {
  if (userId === null) throw new ForbiddenError('hub.vendor-only');
  return userId;
}

const wrong = (field: string, code: string): InvalidInputError =>
  new InvalidInputError('input.invalid', { fields: [{ field, code }] });
