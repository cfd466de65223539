import type { Readable } from 'node:stream';
import type { Tx } from '../../db/database.ts';
import type { UploadedFile } from '../../http/route.ts';
import type { Actor } from '../../shared/actor.ts';
import type { NetworkStatus } from '../registration.ts';

/** As the vendor's helpdesk has it; `waiting` until it has heard of it at all. */
export const requestStates = ['waiting', 'new', 'open', 'pending', 'solved', 'closed'] as const;
export type RequestState = (typeof requestStates)[number];

/** Something that somebody here asked the vendor. */
export interface SupportRequest {
  id: string;
  /** It is followed there and nowhere else. */
  hub: string;
  title: string;
  plugin: string | null;
  /** The number of a ticket of this house that it is about. */
  ticket: number | null;
  /** What was sent along about this installation; empty when it was left out. */
  diagnostics: string;
  openedBy: string | null;
  openedByName: string;
  openedAt: number;
  /** The number of the vendor's ticket. */
  reference: string | null;
  status: RequestState;
  /** Up to where the vendor's ticket was read. */
  version: number;
  /** The hub does not know it, or not from this installation. */
  isLost: boolean;
  updatedAt: number;
  /** When to look for answers again. */
  lookAt: number;
}

/** Ours begin with `open`; `accept` says that a solution helped. The vendor's are a `follow-up` or a `solution`. */
export const messageKinds = ['open', 'reply', 'accept', 'follow-up', 'solution'] as const;
export type MessageKind = (typeof messageKinds)[number];

export const messageStates = [
  /** It lies here, and goes as soon as the hub can be reached. */
  'waiting',
  /** It went, and nobody has said yet that it came. */
  'sent',
  'arrived',
  /** The hub has said no; nothing is sent after it. */
  'refused',
  /** The vendor's. */
  'received',
] as const;
export type MessageState = (typeof messageStates)[number];

export interface SupportMessage {
  id: string;
  requestId: string;
  /** Whatever the clocks of the two houses say. */
  place: number;
  kind: MessageKind;
  /** What the vendor calls it. */
  remoteId: string | null;
  authorId: string | null;
  authorName: string;
  /** Markdown. */
  body: string;
  writtenAt: number;
  state: MessageState;
  tries: number;
  nextAt: number;
  problem: string | null;
  /** In the words of the hub. */
  detail: string | null;
}

export interface SupportFile {
  id: string;
  messageId: string;
  remoteId: string | null;
  name: string;
  mediaType: string;
  size: number;
  /** Null until it is here. */
  storageKey: string | null;
  problem: string | null;
  tries: number;
  nextAt: number;
}

/** Where files lie: as every other of the house, judged as those are. */
export interface SupportFiles {
  keep(
    uploaderId: string | null,
    file: Omit<UploadedFile, 'read'>,
  ): Promise<{ name: string; mediaType: string; size: number; storageKey: string }>;
  read(storageKey: string): Promise<Readable>;
  /** Until a form that was refused is sent again. */
  keepDrafts(actor: Actor, files: readonly Omit<UploadedFile, 'read'>[]): Promise<{ id: string }[]>;
  drafts(actor: Actor, ids: readonly string[]): Promise<{ id: string; name: string; size: number }[]>;
  handOver(
    tx: Tx,
    actor: Actor,
    ids: readonly string[],
  ): Promise<{ name: string; mediaType: string; size: number; storageKey: string }[]>;
}

/** Why nobody may ask the vendor now. */
export type SupportRefusal = 'no-hub' | 'no-key' | 'unconfirmed' | 'refused' | 'ended' | 'not-included';

export const SUPPORT = 'support';
/** As a hub takes them at once. */
export const MOST_FILES = 5;
export const MOST_BYTES = 10 * 1024 * 1024;
export const LONGEST_TITLE = 200;
export const MOST_WORDS = 20_000;

const refusals: Partial<Record<NetworkStatus['key']['light'], SupportRefusal>> = {
  unconfirmed: 'unconfirmed',
  refused: 'refused',
  ended: 'ended',
};

/** Null when the offer includes support, as far as the hub has last said. */
export function supportRefusal({ hub, key, check }: NetworkStatus): SupportRefusal | null {
  if (hub.url === '') return 'no-hub';
  if (key.light !== 'valid') return refusals[key.light] ?? 'no-key';
  return check?.answer?.subscription?.features.includes(SUPPORT) === true ? null : 'not-included';
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const FOREVER = 8.64e15;

/** A conversation that is going on is looked at each minute, one that rests less often, one that is long closed never. */
export function nextLook(
  { status, updatedAt }: Pick<SupportRequest, 'status' | 'updatedAt'>,
  now: number,
): number {
  const age = now - updatedAt;
  if (status === 'closed') return age < 7 * DAY_MS ? now + HOUR_MS : FOREVER;
  return now + (age < HOUR_MS ? HOUR_MS / 60 : HOUR_MS / 4);
}
