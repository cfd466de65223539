import { newId } from 'latchkey/plugin-api';
import type { Delivery } from './endpoint.ts';

/** The body that is sent: what happened, when, and to what. */
export const contentOf = (type: string, { at, data }: { at: number; data: unknown }): string =>
  JSON.stringify({ type, timestamp: new Date(at).toISOString(), data });

export const newDelivery = (
  endpointId: string,
  event: { id: string; name: string },
  now: number,
): Delivery => ({
  id: newId(),
  endpointId,
  eventId: event.id,
  eventName: event.name,
  state: 'waiting',
  attempts: 0,
  fence: 0,
  dueAt: now,
  createdAt: now,
  triedAt: null,
  status: null,
  answer: null,
  problem: null,
  tookMs: null,
});

export const secretContext = (endpointId: string): string => `webhook-secret|${endpointId}`;
export const contentContext = (deliveryId: string): string => `webhook-content|${deliveryId}`;
