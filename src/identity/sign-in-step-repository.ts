import type { Queryable, Tx } from '../db/database.ts';
import { defineTable, instant, oneOf, text, whole } from '../db/table.ts';

const steps = defineTable('sign_in_steps', {
  id: text,
  userId: text,
  authEpoch: whole,
  kind: oneOf('code', 'enrol'),
  /** What they have shown already. */
  proof: oneOf('password', 'provider'),
  triesLeft: whole,
  nextPath: text,
  expiresAt: instant,
});

export type SignInStep = ReturnType<typeof steps.decode>;

export async function insertStep(tx: Tx, step: SignInStep, { digest }: { digest: Buffer }): Promise<void> {
  await tx.knex(steps.name).insert({ ...steps.encode(step), digest });
}

export async function findStepByDigest(db: Queryable, digest: Buffer): Promise<SignInStep | null> {
  const row = (await db.knex(steps.name).first(steps.columns).where({ digest })) as
    Record<string, unknown> | undefined;
  return row ? steps.decode(row) : null;
}

/** Before the code is looked at: of a hundred tries at once five are looked at. */
export async function spendTry(tx: Tx, id: string): Promise<boolean> {
  const left = tx.knex(steps.name).where({ id }).where('tries_left', '>', 0);
  return (await left.update({ tries_left: tx.knex.raw('tries_left - 1') })) === 1;
}

export async function deleteStep(tx: Tx, id: string): Promise<void> {
  await tx.knex(steps.name).where({ id }).delete();
}

export async function deleteStepsBefore(tx: Tx, now: number): Promise<void> {
  await tx.knex(steps.name).where('expires_at', '<', now).delete();
}
