import type { ChargedKind } from '../hooks/index.ts';
import { KnownError } from '../shared/errors.ts';
import type { Registries } from './registries.ts';

export type Charging = <T>(kind: ChargedKind, name: string, work: () => T | Promise<T>) => Promise<T>;

/** What it costs is put on the plugin's account; a refusal is no fault. */
export const charging =
  (hooks: Pick<Registries['hooks'], 'charge'>, owner: string): Charging =>
  async (kind, name, work) => {
    const startedAt = performance.now();
    let isFault = false;
    try {
      return await work();
    } catch (error) {
      isFault = !(error instanceof KnownError);
      throw error;
    } finally {
      hooks.charge({ owner, kind, name, isFault, tookMs: performance.now() - startedAt });
    }
  };
