import { z } from 'zod';

/** The part of `targets.json` that is ours: signed by the keepers of the ceremony, two of three. */
export const HOUSE_RULES = 'latchkey';

const publicKey = z.string().regex(/^[0-9a-f]{64}$/);
const name = z.string().min(1).max(120);

/** Who may publish, who signs entitlements, and what must not run any more. */
export const houseRules = z.object({
  /** Publisher to their keys; each package carries the signature of one of them (ruling 38). */
  publishers: z.record(name, z.array(publicKey).max(8)).default({}),
  /** Signers of entitlement documents. */
  entitlements: z.array(publicKey).max(8).default([]),
  /** Security withdrawals. No version means all of them. */
  withdrawn: z
    .array(
      z.object({ plugin: name, versions: z.array(name).max(500).optional(), reason: z.string().max(500) }),
    )
    .max(2_000)
    .default([]),
});
export type HouseRules = z.output<typeof houseRules>;

/** Why this release must not run, or null. */
export const withdrawalOf = (rules: HouseRules, plugin: string, version: string): string | null =>
  rules.withdrawn.find(
    (one) => one.plugin === plugin && (one.versions === undefined || one.versions.includes(version)),
  )?.reason ?? null;
