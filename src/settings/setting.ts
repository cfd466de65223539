import type { z } from 'zod';

/** Something an administrator may change while the house is open. What is needed to start stands in the configuration instead. */
export interface SettingToken<T> {
  /** `site.organisation`; a plugin's begin with its id. */
  readonly id: string;
  readonly schema: z.ZodType<T>;
  /** What it is while nobody has said anything else. */
  readonly default: T;
  /** Kept sealed, never shown again, never in the audit log. */
  readonly secret: boolean;
}

/** @example export const organisation = defineSetting({ id: 'site.organisation', schema: z.string().min(1), default: 'Latchkey' }); */
export const defineSetting = <T>(
  facts: Omit<SettingToken<T>, 'secret'> & { secret?: boolean },
): SettingToken<T> => ({ secret: false, ...facts });
