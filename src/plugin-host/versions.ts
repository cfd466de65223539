import semver from 'semver';

/** Oldest first; what is no version comes before all that are. */
export const compareVersions = (one: string, other: string): number => {
  const [a, b] = [semver.parse(one), semver.parse(other)];
  if (a && b) return a.compare(b);
  return Number(a !== null) - Number(b !== null);
};

/** A pre-release is in the range that the version it comes before is in. */
export const isInRange = (version: string, range: string): boolean =>
  semver.satisfies(version, range, { includePrerelease: true });
