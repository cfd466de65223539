import { column, defineTable, type Queryable, type Sealed, type Tx } from 'latchkey/plugin-api';
import type { Provider } from './provider.ts';

const { bytes, flag, instant, json, nullable, text, whole } = column;

const providers = defineTable('oidc_provider', {
  id: text,
  slug: text,
  title: text,
  icon: text,
  issuer: text,
  clientId: text,
  scopes: text,
  trustedDomains: json<string[]>(),
  assumesVerified: flag,
  isTwoFactor: flag,
  isOn: flag,
  version: whole,
  createdAt: instant,
  updatedAt: instant,
});
const secrets = defineTable('oidc_provider', {
  secretText: nullable(bytes),
  secretNonce: nullable(bytes),
  secretKey: nullable(whole),
});

type Row = Record<string, unknown>;

const secretColumns = ({ ciphertext, nonce, keyId }: Sealed): Row =>
  secrets.encode({ secretText: ciphertext, secretNonce: nonce, secretKey: keyId });

export async function listProviders(db: Queryable): Promise<Provider[]> {
  const rows = (await db
    .knex(providers.name)
    .select(providers.columns)
    .orderBy(['created_at', 'id'])
    .limit(50)) as Row[];
  return rows.map(providers.decode);
}

export async function findProvider(db: Queryable, id: string): Promise<Provider | null> {
  const row = (await db.knex(providers.name).select(providers.columns).where({ id }).first()) as
    Row | undefined;
  return row ? providers.decode(row) : null;
}

export async function readSecret(db: Queryable, id: string): Promise<Sealed | null> {
  const row = (await db.knex(providers.name).select(secrets.columns).where({ id }).first()) as
    Row | undefined;
  if (!row) return null;
  const { secretText, secretNonce, secretKey } = secrets.decode(row);
  const isThere = secretText !== null && secretNonce !== null && secretKey !== null;
  return isThere ? { ciphertext: secretText, nonce: secretNonce, keyId: secretKey } : null;
}

export async function insertProvider(tx: Tx, provider: Provider, secret: Sealed | null): Promise<void> {
  const row = { ...providers.encode(provider), ...(secret === null ? {} : secretColumns(secret)) };
  await tx.knex(providers.name).insert(row);
}

/** Over the version that was read; false when somebody was faster. Without a new secret the old one stays. */
export async function updateProvider(
  tx: Tx,
  { id, version }: { id: string; version: number },
  changes: Partial<Provider>,
  secret: Sealed | null,
): Promise<boolean> {
  const written = await tx
    .knex(providers.name)
    .where({ id, version })
    .update({
      ...providers.encode(changes),
      ...(secret === null ? {} : secretColumns(secret)),
      version: version + 1,
    });
  return written === 1;
}

export const deleteProvider = async (tx: Tx, id: string): Promise<boolean> =>
  (await tx.knex(providers.name).where({ id }).delete()) === 1;
