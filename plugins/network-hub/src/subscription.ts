/** What a customer may take. */
export interface Offer {
  reference: string;
  title: string;
  position: number;
  isFree: boolean;
  features: string[];
}

/** An offer taken by somebody, from a day to a day. */
export interface Subscription {
  id: string;
  userId: string;
  /** Whom helpdesks show as the owner of the key: an organisation, or a name. */
  owner: string;
  offer: string;
  beginsAt: number;
  endsAt: number | null;
  createdAt: number;
}

/** A key is known by its digest only. */
export interface HubKey {
  id: string;
  subscriptionId: string;
  mark: string;
  createdAt: number;
  /** Rolled: until then both work. */
  endsAt: number | null;
  revokedAt: number | null;
  seenAt: number | null;
}

/** A helpdesk that has shown a key. */
export interface Instance {
  id: string;
  subscriptionId: string;
  uid: string;
  program: string;
  firstSeenAt: number;
  seenAt: number;
}

export const isRunning = ({ beginsAt, endsAt }: Subscription, now: number): boolean =>
  beginsAt <= now && (endsAt === null || now < endsAt);

export type KeyState = 'works' | 'ending' | 'ended' | 'revoked';

export function stateOf({ revokedAt, endsAt }: HubKey, now: number): KeyState {
  if (revokedAt !== null) return 'revoked';
  if (endsAt === null) return 'works';
  return now < endsAt ? 'ending' : 'ended';
}
