/** What a higher floor has against a version of a plugin. */
export interface Objection {
  /** The text that says why, and what it names. */
  code: string;
  params: Record<string, string | number>;
  /** Where one reads more and decides. */
  path: string;
  /** Whether it may not run; otherwise one should merely know. */
  isStopping: boolean;
}

export type Objecting = (pluginId: string, version: string) => Promise<Objection | null>;

export const nobodyObjects: Objecting = () => Promise.resolve(null);
