/** What is usual and what happens now, counted from rows that joining writes anyway. */
export interface Traffic {
  /** Seats taken in the last ten minutes, at most five of one network: a classroom sits behind one address. */
  joins: number;
  /** Different networks in the last hour. */
  networks: number;
  /** Turned away in the last hour because of their address. */
  rejected: number;
  /** All who came to the form in the last hour, let in or not. */
  tried: number;
  /** Per ten minutes and per hour, over the week before; never less than one a day. */
  usualJoins: number;
  usualNetworks: number;
}

export interface Thresholds {
  factor: number;
  joins: number;
  networks: number;
  rejectedShare: number;
  rejectedAtLeast: number;
}

export type TripReason = 'speed' | 'spread' | 'rejected';

/**
 * A key whose address rule holds (`isClosed`) lets in nobody whom it should not, so speed and spread say nothing there:
 * a link that is in the wrong hands shows in who is turned away.
 */
export function tripReason(
  traffic: Traffic,
  limits: Thresholds,
  { isClosed }: { isClosed: boolean },
): TripReason | null {
  const { joins, networks, rejected, tried, usualJoins, usualNetworks } = traffic;
  const isRejecting = rejected >= limits.rejectedAtLeast && rejected * 100 >= limits.rejectedShare * tried;
  if (isRejecting) return 'rejected';
  if (isClosed) return null;
  if (joins >= limits.joins && joins >= limits.factor * usualJoins) return 'speed';
  if (networks >= limits.networks && networks >= limits.factor * usualNetworks) return 'spread';
  return null;
}

const MOST_OF_ONE_NETWORK = 5;

/** People of one network count as five at most; those whose network is not known count one each. */
export function weighed(perNetwork: ReadonlyMap<string, number>): number {
  let joins = 0;
  for (const [network, count] of perNetwork)
    joins += network === '' ? count : Math.min(count, MOST_OF_ONE_NETWORK);
  return joins;
}
