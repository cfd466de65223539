import { redact } from '../crypto/tokens.ts';
import type { Tx } from '../db/database.ts';
import { newId } from '../shared/ids.ts';

export interface NewEvent {
  name: string;
  aggregate: string;
  payload: unknown;
  at: number;
  /** Words by which those are found whom everybody is told to forget. */
  forgets: readonly string[];
}

/** The event, and one delivery for each consumer: what a crash leaves behind is exactly what was not delivered. No secret is kept. */
export async function insertEvent(tx: Tx, event: NewEvent, consumers: readonly string[]): Promise<void> {
  const { name, aggregate, at, forgets } = event;
  const row = { id: newId(), name, aggregate, payload: redact(JSON.stringify(event.payload)), at };
  const [position] = await tx.knex('event').insert(row);
  const common = { position, event_name: name, aggregate, state: 'waiting', due_at: at, written_at: at };
  if (consumers.length > 0)
    await tx.knex('event_delivery').insert(consumers.map((consumer) => ({ ...common, consumer })));
  if (forgets.length > 0)
    await tx.knex('event_forgetting').insert({ position, words: JSON.stringify(forgets) });
}
