import { compareVersions, digestOf, isInRange, type PackageFacts } from 'latchkey/plugin-api';
import type { Offer } from './subscription.ts';

export const channels = ['stable', 'beta'] as const;
export type Channel = (typeof channels)[number];

/** Not listed any more; listed and not installed anew; or stopped wherever it runs. */
export const withdrawals = ['hidden', 'no-installs', 'security'] as const;
export type Withdrawal = (typeof withdrawals)[number];

/** What is known of a plugin beside its versions, taken from the newest package. */
export interface PluginRecord {
  id: string;
  publisher: string;
  license: string;
  homepage: string | null;
  /** By language. */
  words: PackageFacts['words'];
  readme: PackageFacts['readme'];
  /** A Tabler icon for where there is no picture. */
  symbol: string;
  icon: string | null;
  screenshots: { name: string; sha256: string }[];
  /** Zero: it cannot be tried. */
  trialDays: number;
}

/** One version, as it was published. */
export interface Release {
  id: string;
  plugin: number;
  version: string;
  channel: Channel;
  sha256: string;
  size: number;
  manifest: PackageFacts['manifest'];
  notes: string;
  /** Versions of Latchkey it is made for. */
  latchkey: string;
  /** Versions of GLPI, in composer's words, where it says any. */
  compatibility: string | null;
  /** How many of a hundred helpdesks see it. */
  share: number;
  withdrawn: Withdrawal | null;
  reason: string | null;
  publishedAt: number;
  publishedBy: string;
}

/** Who asks: the program it says it is, and which one of many. */
export interface Asker {
  program: string;
  uid: string;
}

/** Letters and digits only: so GLPI's clients want a plugin to be called. */
export const keyOf = (pluginId: string): string => pluginId.replaceAll('-', '');

/** Whether this version is meant for whoever asks. The program decides what fits; the helpdesk's identity, who is among the first. */
export function isFor(release: Release, { program, uid }: Asker): boolean {
  if (release.withdrawn === 'hidden') return false;
  return fitsProgram(release, program) && placeOf(uid, release.id) < release.share;
}

const PROGRAM = /^(Latchkey|GLPI)\/(\d+\.\d+\.\d+)/;

/** All of a program's name that decides what fits. */
export const programOf = ({ program }: Pick<Asker, 'program'>): string => PROGRAM.exec(program)?.[0] ?? '';

/** Whether this version is made for a program that calls itself so. */
export function fitsProgram({ latchkey, compatibility }: Release, program: string): boolean {
  const [, name, version = ''] = PROGRAM.exec(program) ?? [];
  if (name === 'Latchkey') return isInRange(version, latchkey);
  // What says nothing of GLPI would not run there.
  if (name === 'GLPI')
    return compatibility !== null && isInRange(version, compatibility.replace(/(?<!\|)\|(?!\|)/g, '||'));
  return true;
}

/** The same helpdesk is among the first for one version and among the last for another. */
const placeOf = (uid: string, releaseId: string): number =>
  digestOf(`${releaseId}|${uid}`).readUInt32BE(0) % 100;

export const newestFirst = (one: Release, other: Release): number =>
  compareVersions(other.version, one.version);

/** The lower ones, which an offer has all of. */
export const offersIncludedIn = ({ position }: Offer, offers: readonly Offer[]): string[] =>
  offers.filter((one) => one.position < position).map(({ reference }) => reference);

/** Every offer that would do: those asked for, and all that include them. Empty is free for everybody. */
export function coveringOffers(required: readonly string[], offers: readonly Offer[]): string[] {
  const least = Math.min(
    ...offers.filter(({ reference }) => required.includes(reference)).map(({ position }) => position),
  );
  return required.length === 0
    ? []
    : offers.filter(({ isFree, position }) => !isFree && position >= least).map(({ reference }) => reference);
}

export const nameIn = (
  { id, words }: { id: string; words: Readonly<Record<string, { name: string }>> },
  locale: string,
): string => (words[locale] ?? words['en'])?.name ?? id;
