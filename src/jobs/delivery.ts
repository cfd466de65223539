import { defineTable, instant, nullable, oneOf, text, whole } from '../db/table.ts';

/** Waiting (again, after a failure), running under a lease, and three ways to end. */
export const deliveryStates = ['waiting', 'running', 'done', 'dead', 'skipped'] as const;
export type DeliveryState = (typeof deliveryStates)[number];

/** Still to be told. */
export const OPEN: readonly DeliveryState[] = ['waiting', 'running'];

/** An event on its way to one consumer. */
export const deliveries = defineTable('event_delivery', {
  position: whole,
  consumer: text,
  eventName: text,
  aggregate: text,
  state: oneOf(...deliveryStates),
  attempts: whole,
  fence: whole,
  dueAt: instant,
  writtenAt: instant,
  lastError: nullable(text),
});
export type Delivery = ReturnType<typeof deliveries.decode>;

export interface ClaimedDelivery extends Delivery {
  eventId: string;
  at: number;
  payload: unknown;
}

/** The event names that somebody in this process listens to, by consumer. */
export type Subscriptions = ReadonlyMap<string, readonly string[]>;

export const keyOf = ({ position, consumer }: Delivery): { position: number; consumer: string } => ({
  position,
  consumer,
});
