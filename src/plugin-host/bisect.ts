/** Where a search for the plugin at fault stands. */
export interface Bisect {
  /** All that were enabled when the search began. */
  all: string[];
  /** One of these it is. */
  suspects: string[];
  /** The half of the suspects that runs at the moment; whoever is cleared runs, too. */
  trying: string[];
}

export const beginBisect = (enabled: readonly string[]): Bisect => halved([...enabled], [...enabled]);

/** After one more answer: whether the trouble is still there with the half that runs. */
export const narrowed = ({ all, suspects, trying }: Bisect, { isBad }: { isBad: boolean }): Bisect =>
  halved(all, isBad ? trying : suspects.filter((id) => !trying.includes(id)));

/** Who it is, once nobody else is left. */
export const culpritIn = ({ suspects }: Bisect): string | null =>
  suspects.length === 1 ? (suspects[0] ?? null) : null;

export const shouldRun = ({ suspects, trying }: Bisect, id: string): boolean =>
  trying.includes(id) || !suspects.includes(id);

function halved(all: string[], suspects: string[]): Bisect {
  return { all, suspects, trying: suspects.slice(0, Math.floor(suspects.length / 2)) };
}
