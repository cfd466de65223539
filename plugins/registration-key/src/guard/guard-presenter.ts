import type { PersonFacts } from 'latchkey/plugin-api';
import type { Redemption } from '../seats/redemption.ts';
import type { Happening } from './evidence.ts';
import type { Affected } from './undo-service.ts';
import type { Undo } from './undo-repository.ts';

/** What a history can be narrowed to. */
export const historyKinds = [
  'minted',
  'edited',
  'revealed',
  'mailed',
  'opened',
  'refused',
  'redeemed',
  'approved',
  'declined',
  'seat-returned',
  'paused',
  'resumed',
  'limit-raised',
  'revoked',
  'restored',
  'rotated',
  'leak-undone',
  'leak-undo-reversed',
  'copy-made',
  'copy-closed',
  'copy-reopened',
  'purged',
] as const;

export const presentHappening = (one: Happening): object => ({
  at: one.at,
  /** UTC, for whoever compares it with other logs. */
  utc: new Date(one.at).toISOString(),
  text: `registration-key:history.${one.kind}`,
  icon: icons[one.kind] ?? 'circle',
  actor: whoDid(one),
  node: one.node,
  network: one.network,
  changes: changesOf(one),
});

/** A place is taken by the newcomer, whoever the books hold responsible for the invitation. */
export const whoDid = ({ kind, actorName }: Pick<Happening, 'kind' | 'actorName'>): string =>
  kind === 'redeemed' ? '' : actorName;

const icons: Record<string, string> = {
  minted: 'key',
  edited: 'pencil',
  revealed: 'eye',
  mailed: 'send',
  opened: 'mail-opened',
  refused: 'hand-stop',
  redeemed: 'user-plus',
  approved: 'user-check',
  declined: 'user-x',
  'seat-returned': 'arrow-back-up',
  paused: 'pause',
  resumed: 'play',
  'limit-raised': 'trending-up',
  revoked: 'ban',
  restored: 'restore',
  rotated: 'refresh',
  'leak-undone': 'users',
  'leak-undo-reversed': 'arrow-back-up',
  'copy-made': 'copy',
  'copy-closed': 'ban',
  'copy-reopened': 'arrow-back-up',
  purged: 'trash',
  deleted: 'trash',
};

const named = new Set([
  'label',
  'note',
  'maxUses',
  'notBefore',
  'expiresAt',
  'approval',
  'emailProof',
  'email',
  'emailDomains',
  'landing',
  'locale',
  'reason',
  'name',
  'seat',
  'copy',
  'people',
  'since',
  'action',
  'to',
  'until',
]);

interface ShownChange {
  field: string;
  before: Shown | null;
  after: Shown | null;
}

/** A moment is said by the page, in the reader's own way; a term has a word of its own. */
type Shown = { at: number } | { word: string } | { text: string };

/** Field by field what was and what is, as far as people have words for it; the rest is for programs. */
function changesOf({ before, after }: Happening): ShownChange[] {
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  return [...names]
    .filter((name) => named.has(name))
    .filter((name) => asText(before?.[name]) !== asText(after?.[name]))
    .map((name) => ({
      field: `registration-key:history.field.${name}`,
      before: shownAs(name, before?.[name]),
      after: shownAs(name, after?.[name]),
    }));
}

const words: Record<string, string> = { approval: 'approval', emailProof: 'proof', action: 'undo' };

function shownAs(name: string, value: unknown): Shown | null {
  const text = asText(value);
  if (text === '') return null;
  const at = /At$|^notBefore$|^since$|^until$/.test(name) ? momentOf(value) : null;
  if (at !== null) return { at };
  const group = words[name];
  return group === undefined ? { text } : { word: `registration-key:${group}.${text}` };
}

/** Entries keep moments as numbers or as the API writes them. */
function momentOf(value: unknown): number | null {
  const at = typeof value === 'string' ? Date.parse(value) : value;
  return typeof at === 'number' && Number.isFinite(at) ? at : null;
}

function asText(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value)) return value.map(asText).join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const tones = {
  active: 'success',
  pending_email: 'info',
  pending_approval: 'warning',
  released: 'quiet',
  declined: 'danger',
} as const;

export function presentPerson(
  one: Affected | { redemption: Redemption; person: PersonFacts | null },
): object {
  const { person } = one;
  const who = { name: person?.name ?? '', email: person?.email ?? '', userId: person?.id ?? null };
  if ('branch' in one) {
    const { branch, depth } = one;
    return {
      ...who,
      seat: branch.seat,
      at: branch.at,
      depth,
      existed: branch.how === 'existing',
      isOff: person?.status === 'disabled',
    };
  }
  const { seat, status, settledAt, at, how } = one.redemption;
  return {
    ...who,
    seat,
    status,
    tone: tones[status],
    at: settledAt ?? at,
    existed: how === 'existing',
    isOff: person?.status === 'disabled',
  };
}

export const presentUndo = (undo: Undo): object => ({
  id: undo.id,
  since: undo.since,
  at: undo.at,
  by: undo.orderedByName,
  action: undo.action,
  state: undo.state,
  withDescendants: undo.withDescendants,
  reversibleUntil: undo.reversibleUntil,
});
