import type { Host } from 'latchkey/plugin-api';
import type { Offer } from './subscription.ts';

const known = ['virtual', 'network-basic', 'network-standard', 'network-advanced'];

/** The offers that every hub has are called in the reader's language; others as the vendor calls them. */
export const titleOf = (
  host: Host,
  { reference, title }: Pick<Offer, 'reference' | 'title'>,
  locale: string,
): string => (known.includes(reference) ? host.t(`offer.${reference}`, {}, locale) : title);
