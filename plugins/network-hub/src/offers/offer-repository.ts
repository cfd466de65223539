import type { Tx } from 'latchkey/plugin-api';
import type { Offer } from '../subscription.ts';

export async function insertOffer(tx: Tx, offer: Offer): Promise<void> {
  const { reference, title, position, isFree, features } = offer;
  await tx.knex('hub_offer').insert({
    reference,
    title,
    position,
    is_free: isFree ? 1 : 0,
    features: JSON.stringify(features),
  });
}

export async function setFeatures(tx: Tx, reference: string, features: readonly string[]): Promise<void> {
  await tx
    .knex('hub_offer')
    .where({ reference })
    .update({ features: JSON.stringify(features) });
}
