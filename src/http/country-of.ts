import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import ipaddr from 'ipaddr.js';
import { Reader, type CountryResponse } from 'mmdb-lib';

/** Which registry gave a network to whom: public-domain data, no request to anybody. */
const DATA = '@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb';

let reading: Promise<Reader<CountryResponse>> | null = null;

/**
 * The country a network was given to, as `FR`; null for private networks and those that are in no list.
 * The beginning of an address is enough: networks are given out whole.
 *
 * @example await countryOf('212.27.48.0/24'); // 'FR'
 */
export async function countryOf(network: string): Promise<string | null> {
  const [address = ''] = network.split('/');
  // The list gives a few private networks to somebody.
  if (!ipaddr.isValid(address) || ipaddr.process(address).range() !== 'unicast') return null;
  reading ??= readFile(fileURLToPath(import.meta.resolve(DATA))).then(
    (bytes) => new Reader<CountryResponse>(bytes),
  );
  // This list is flatter than those that the reader has types for.
  const found = (await reading).get(address) as { country_code?: string } | null;
  return found?.country_code ?? null;
}
