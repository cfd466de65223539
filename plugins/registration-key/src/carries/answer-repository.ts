import { column, defineTable, type Queryable, type Tx } from 'latchkey/plugin-api';
import type { Answered } from './carried-fields.ts';

const { json, nullable, text, whole } = column;

/** What somebody answered on the way in, in the words they were asked with: the key may ask something else by now. */
const answers = defineTable('invite_answers', {
  keyId: text,
  seat: whole,
  userId: nullable(text),
  answers: json<Answered[]>(),
});

type Row = Record<string, unknown>;

/** Somebody was not let in after all. */
export async function deleteAnswers(tx: Tx, seat: { keyId: string; seat: number }): Promise<void> {
  await tx.knex(answers.name).where({ key_id: seat.keyId, seat: seat.seat }).delete();
}

export async function insertAnswers(
  tx: Tx,
  kept: { keyId: string; seat: number; userId: string; answers: Answered[] },
): Promise<void> {
  await tx.knex(answers.name).insert(answers.encode(kept));
}

/** By seat. */
export async function answersOf(
  db: Queryable,
  keyId: string,
  seats: readonly number[],
): Promise<Map<number, Answered[]>> {
  if (seats.length === 0) return new Map();
  const rows = (await db
    .knex(answers.name)
    .select(answers.columns)
    .where({ key_id: keyId })
    .whereIn('seat', [...seats])) as Row[];
  return new Map(rows.map(answers.decode).map((row) => [row.seat, row.answers]));
}
