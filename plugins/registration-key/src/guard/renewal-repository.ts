import type { Mac, Queryable, Tx } from 'latchkey/plugin-api';

/** Where secrets lie whose text can be read again, and the columns that say which keys of the house digested and sealed them. */
const places = {
  invite_key: ['copy_key', 'lookup_key'],
  invite_copy: ['copy_key', 'lookup_key'],
  invite_roster_entry: ['sealed_key', 'mac_key'],
  invite_attempt: ['draft_key', 'draft_key'],
} as const;
export type Place = keyof typeof places;

/** Ids, in their order, of what an older key than `current` has sealed or digested. */
export async function listOutdated(
  db: Queryable,
  place: Place,
  { current, after, limit }: { current: number; after: string; limit: number },
): Promise<string[]> {
  const [sealedBy, digestedBy] = places[place];
  const rows = await db
    .knex(place)
    .whereNotNull(sealedBy)
    .where(
      (w) =>
        void w
          .whereNot({ [sealedBy]: current })
          .orWhereNull(digestedBy)
          .orWhereNot({ [digestedBy]: current }),
    )
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .select<{ id: string }[]>('id');
  return rows.map(({ id }) => id);
}

/** Digests of a text that somebody holds: whatever row has one of the older ones gets the newest. */
export interface Presented {
  place: 'invite_key' | 'invite_copy' | 'invite_mailing';
  newest: Mac;
  older: readonly Buffer[];
}

export async function renewDigest(tx: Tx, { place, newest, older }: Presented): Promise<void> {
  await tx
    .knex(place)
    .whereIn('lookup', [...older])
    .update({ lookup: newest.digest, lookup_key: newest.keyId });
}
