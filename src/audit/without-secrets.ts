import { redact } from '../crypto/tokens.ts';

const SECRET_NAME = /password|secret|token|digest|hash|ciphertext|code/i;

/** The last net: callers leave secrets out, and what slips through stops here. */
export function withoutSecrets(state: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(state).map(([name, value]) => [
      name,
      SECRET_NAME.test(name) && isText(value) ? '[redacted]' : cleaned(value),
    ]),
  );
}

const isText = (value: unknown): boolean => typeof value === 'string' || value instanceof Uint8Array;

function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map(cleaned);
  if (value instanceof Uint8Array) return '[bytes]';
  if (typeof value === 'object' && value !== null)
    return withoutSecrets(Object.fromEntries(Object.entries(value)));
  return value;
}
