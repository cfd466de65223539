import { customAlphabet } from 'nanoid';
import { RANDOM_SYMBOLS, TOKEN_ALPHABET, withCheckSymbols, type TokenPrefix } from './tokens.ts';

const randomSymbols = customAlphabet(TOKEN_ALPHABET, RANDOM_SYMBOLS);

/** A new secret with 130 bits of chance: `lkinv_WR0ZKX7B…`. */
export const mint = (prefix: TokenPrefix): string => withCheckSymbols(prefix, randomSymbols());
