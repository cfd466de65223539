import { redact } from '../crypto/tokens.ts';
import type { Tx } from '../db/database.ts';
import { newId } from '../shared/ids.ts';

export interface NewEvent {
  name: string;
  aggregate: string;
  payload: unknown;
  at: number;
}

/** The event, and one delivery for each consumer: what a crash leaves behind is exactly what was not delivered. No secret is kept. */
export async function insertEvent(tx: Tx, event: NewEvent, consumers: readonly string[]): Promise<void> {
  const { name, aggregate, at } = event;
  const row = { id: newId(), name, aggregate, payload: redact(JSON.stringify(event.payload)), at };
  const [position] = await tx.knex('event').insert(row);
  const common = { position, event_name: name, aggregate, state: 'waiting', due_at: at, written_at: at };
  await tx.knex('event_delivery').insert(consumers.map((consumer) => ({ ...common, consumer })));
}
