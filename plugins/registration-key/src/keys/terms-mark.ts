import { digestOf } from 'latchkey/plugin-api';
import { termNames, type KeyTerms } from './invitation-key.ts';

/** Moments differ from one minting to the next though the settings are the same. */
const moments = new Set<keyof KeyTerms>(['notBefore', 'expiresAt']);

/** Two keys with the same mark let in the same people in the same way; only their time may differ. */
export const termsMark = (terms: KeyTerms): Buffer =>
  digestOf(JSON.stringify(termNames.filter((name) => !moments.has(name)).map((name) => terms[name])));
