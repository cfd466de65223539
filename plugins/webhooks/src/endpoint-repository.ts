import { column, defineTable, type Queryable, type Sealed, type Tx } from 'latchkey/plugin-api';
import type { Endpoint } from './endpoint.ts';

const { bytes, flag, instant, json, nullable, oneOf, text, whole } = column;

const endpoints = defineTable('webhook_endpoint', {
  id: text,
  name: text,
  url: text,
  events: json<string[]>(),
  isOn: flag,
  offReason: nullable(oneOf('gone', 'failing')),
  failingSince: nullable(instant),
  version: whole,
  createdAt: instant,
  updatedAt: instant,
});
const secrets = defineTable('webhook_endpoint', { secretText: bytes, secretNonce: bytes, secretKey: whole });

type Row = Record<string, unknown>;

const secretColumns = ({ ciphertext, nonce, keyId }: Sealed): Row =>
  secrets.encode({ secretText: ciphertext, secretNonce: nonce, secretKey: keyId });

export async function listEndpoints(db: Queryable): Promise<Endpoint[]> {
  const rows = (await db
    .knex(endpoints.name)
    .select(endpoints.columns)
    .orderBy('created_at')
    .limit(500)) as Row[];
  return rows.map(endpoints.decode);
}

export async function findEndpoint(db: Queryable, id: string): Promise<Endpoint | null> {
  const row = (await db.knex(endpoints.name).select(endpoints.columns).where({ id }).first()) as
    Row | undefined;
  return row ? endpoints.decode(row) : null;
}

export async function readSecret(db: Queryable, id: string): Promise<Sealed | null> {
  const row = (await db.knex(endpoints.name).select(secrets.columns).where({ id }).first()) as
    Row | undefined;
  if (!row) return null;
  const { secretText, secretNonce, secretKey } = secrets.decode(row);
  return { ciphertext: secretText, nonce: secretNonce, keyId: secretKey };
}

export async function insertEndpoint(tx: Tx, endpoint: Endpoint, secret: Sealed): Promise<void> {
  await tx.knex(endpoints.name).insert({ ...endpoints.encode(endpoint), ...secretColumns(secret) });
}

/** Over the version that was read; false when somebody was faster. */
export async function updateEndpoint(
  tx: Tx,
  id: string,
  version: number,
  changes: Partial<Endpoint>,
): Promise<boolean> {
  const written = await tx
    .knex(endpoints.name)
    .where({ id, version })
    .update({ ...endpoints.encode(changes), version: version + 1 });
  return written === 1;
}

export const replaceSecret = async (tx: Tx, id: string, secret: Sealed, now: number): Promise<void> => {
  await tx
    .knex(endpoints.name)
    .where({ id })
    .update({ ...secretColumns(secret), updated_at: now });
};

export const deleteEndpoint = async (tx: Tx, id: string): Promise<boolean> =>
  (await tx.knex(endpoints.name).where({ id }).delete()) === 1;

/** It answers again. */
export const clearFailing = async (tx: Tx, id: string): Promise<void> => {
  await tx.knex(endpoints.name).where({ id }).whereNotNull('failing_since').update({ failing_since: null });
};

export const markFailing = async (tx: Tx, id: string, now: number): Promise<void> => {
  await tx.knex(endpoints.name).where({ id }).whereNull('failing_since').update({ failing_since: now });
};

/** Nobody is there any more, or nothing has arrived for days. */
export async function switchOff(
  tx: Tx,
  id: string,
  reason: 'gone' | 'failing',
  now: number,
): Promise<boolean> {
  const off = await tx
    .knex(endpoints.name)
    .where({ id })
    .where(endpoints.encode({ isOn: true }))
    .update({
      ...endpoints.encode({ isOn: false, offReason: reason, updatedAt: now }),
      version: tx.knex.raw('version + 1'),
    });
  return off === 1;
}
