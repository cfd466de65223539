import type { PluginFacts } from './plugin-facts.ts';
import { compareVersions, isInRange } from './versions.ts';

/** Whether a plugin says that it goes with another version of Latchkey. */
export interface FitLine {
  id: string;
  version: string;
  desired: PluginFacts['desired'];
  madeFor: string;
  fits: boolean;
  /** A version of it that is kept here and fits, where the one in use does not. */
  instead: string | null;
}

/** Before Latchkey is updated: who comes along. Bundled plugins are updated with it and are not asked. */
export function reportFor(
  core: string,
  plugins: readonly Pick<PluginFacts, 'id' | 'version' | 'desired' | 'manifest' | 'isBundled' | 'releases'>[],
): FitLine[] {
  return plugins
    .filter(({ isBundled }) => !isBundled)
    .map(({ id, version, desired, manifest, releases }) => {
      const madeFor = manifest?.engines.latchkey ?? '';
      const fits = manifest !== null && isInRange(core, madeFor);
      const others = releases.filter((release) => isInRange(core, release.madeFor));
      const newest =
        others
          .map((release) => release.version)
          .sort(compareVersions)
          .at(-1) ?? null;
      return { id, version, desired, madeFor, fits, instead: fits ? null : newest };
    });
}
