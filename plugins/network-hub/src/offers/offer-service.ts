import {
  ConflictError,
  ForbiddenError,
  InvalidInputError,
  NotFoundError,
  type Actor,
  type Host,
} from 'latchkey/plugin-api';
import type { Offer } from '../subscription.ts';
import { listOffers } from '../subscription-repository.ts';
import { SUPPORT } from '../support/support-desk.ts';
import { insertOffer, setFeatures } from './offer-repository.ts';

export interface OfferDraft {
  title: string;
  /** The offer that it includes, and stands next above. */
  above: string;
  withSupport: boolean;
}

const MOST_OFFERS = 30;

/** What customers may take: the offers that every hub has, and those of this vendor. */
export class OfferService {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  list(actor: Actor): Promise<Offer[]> {
    assertVendor(actor);
    return listOffers(this.#host.db);
  }

  /** It includes whatever the one below has. */
  async add(actor: Actor, { title, above, withSupport }: OfferDraft): Promise<void> {
    const offers = await this.list(actor);
    const below = offers.find(({ reference }) => reference === above);
    if (!below) throw wrong('above', 'hub.no-such-offer');
    const reference = referenceOf(title);
    if (reference === '') throw wrong('title', 'hub.say-the-title');
    if (offers.some((offer) => offer.reference === reference)) throw wrong('title', 'hub.offer-exists');
    const position = positionAbove(below, offers);
    if (position === null || offers.length >= MOST_OFFERS) throw new ConflictError('hub.no-room-for-offer');
    const features = withFeature([...below.features, `plugins-${reference}`], SUPPORT, withSupport);
    await this.#host.transaction(async (tx) => {
      await insertOffer(tx, { reference, title, position, isFree: false, features });
      await this.#record(tx, actor, 'offer-added', { reference, features });
    });
  }

  async setSupport(actor: Actor, reference: string, withSupport: boolean): Promise<void> {
    const offer = (await this.list(actor)).find((one) => one.reference === reference);
    if (!offer) throw new NotFoundError('hub.no-such-offer');
    const features = withFeature(offer.features, SUPPORT, withSupport);
    await this.#host.transaction(async (tx) => {
      await setFeatures(tx, reference, features);
      await this.#record(tx, actor, 'offer-changed', { reference, features });
    });
  }

  #record(
    tx: Parameters<Host['audit']['record']>[0],
    actor: Actor,
    what: string,
    { reference, features }: Pick<Offer, 'reference' | 'features'>,
  ): Promise<void> {
    return this.#host.audit.record(tx, actor, {
      action: `network-hub.${what}`,
      subject: { type: 'hub-offer', id: reference, label: reference },
      after: { features },
    });
  }
}

const withFeature = (features: readonly string[], name: string, isWanted: boolean): string[] => [
  ...new Set([...features.filter((one) => one !== name), ...(isWanted ? [name] : [])]),
];

/** `Clinic Plus` is `clinic-plus` on the wire, for good. */
const referenceOf = (title: string): string =>
  title
    .toLowerCase()
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 40);

/** Between an offer and the next; offers that are there stay where they are. */
function positionAbove(below: Offer, offers: readonly Offer[]): number | null {
  const next = offers.filter(({ position }) => position > below.position)[0]?.position;
  if (next === undefined) return below.position + 10;
  const between = Math.floor((below.position + next) / 2);
  return between > below.position ? between : null;
}

function assertVendor(actor: Actor): void {
  if (!actor.can('network-hub.manage')) throw new ForbiddenError('hub.vendor-only');
}

const wrong = (field: string, code: string): InvalidInputError =>
  new InvalidInputError('input.invalid', { fields: [{ field, code }] });
