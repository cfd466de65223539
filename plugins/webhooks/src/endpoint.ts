/** An address of somebody else's that wants to hear of things. */
export interface Endpoint {
  id: string;
  name: string;
  url: string;
  events: string[];
  isOn: boolean;
  /** Why it was switched off, when nobody did it by hand. */
  offReason: 'gone' | 'failing' | null;
  failingSince: number | null;
  version: number;
  createdAt: number;
  updatedAt: number;
}

export interface EndpointDraft {
  name: string;
  url: string;
  events: string[];
  isOn: boolean;
}

export type DeliveryState = 'waiting' | 'sending' | 'done' | 'dead';

export interface Delivery {
  id: string;
  endpointId: string;
  eventId: string;
  eventName: string;
  state: DeliveryState;
  attempts: number;
  fence: number;
  dueAt: number;
  createdAt: number;
  triedAt: number | null;
  status: number | null;
  answer: string | null;
  problem: string | null;
  tookMs: number | null;
}
