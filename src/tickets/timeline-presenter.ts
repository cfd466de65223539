import { system, type Actor } from '../shared/actor.ts';
import { presentAttachment, type AttachmentModel } from './attachment-presenter.ts';
import type { Conversation } from './follow-up-service.ts';
import type { TimelineNote } from './desk-contributions.ts';
import type { Names } from './names.ts';
import { levelKey, statusKey } from './ticket-words.ts';
import {
  isLevel,
  statuses,
  statusForRequester,
  type Assignees,
  type FieldChange,
  type Status,
  type Ticket,
} from './ticket.ts';
import type { SolutionState, TimelineEntry } from './timeline.ts';

/** Words that are an i18n key, or text as it is. */
export interface Words {
  key?: string;
  text?: string;
}

export interface ChangeModel {
  field: Words;
  from: Words;
  to: Words;
  /** Old and new are too long to show beside each other. */
  isLong: boolean;
}

export interface TimelineItem {
  anchor: string;
  kind: 'description' | 'note' | TimelineEntry['kind'];
  /** Empty: the house itself. */
  author: string;
  isMine: boolean;
  isPrivate: boolean;
  /** Not read yet when the reader began to write. */
  isNew: boolean;
  writtenAt: number;
  body: string;
  state: SolutionState | null;
  attachments: AttachmentModel[];
  changes: ChangeModel[];
  /** Of what a plugin adds. */
  icon?: string;
  text?: string;
}

interface Reader {
  actor: Actor;
  isHelper: boolean;
  /** The version they had before them. */
  seen?: number | undefined;
}

/** All that was said and done, oldest first, in the words of whoever reads it. */
export function presentTimeline(
  { ticket, entries, attachments, notes = [] }: Conversation,
  names: Names,
  reader: Reader,
): TimelineItem[] {
  const filesOf = (entryId: string | null): AttachmentModel[] =>
    attachments.filter((one) => one.entryId === entryId).map(presentAttachment);
  const items = entries.map((entry) => presentEntry(entry, filesOf(entry.id), names, reader));
  const told = [presentBeginning(ticket, filesOf(null), names, reader), ...items].filter(
    ({ kind, changes }) => kind !== 'change' || changes.length > 0,
  );
  if (notes.length === 0) return told;
  return [...told, ...notes.map(presentNote)].sort((one, other) => one.writtenAt - other.writtenAt);
}

const presentNote = ({ id, at, icon, text, body = '', visibility }: TimelineNote): TimelineItem => ({
  anchor: `note-${id}`,
  kind: 'note',
  author: '',
  isMine: false,
  isPrivate: visibility === 'private',
  isNew: false,
  writtenAt: at,
  body,
  state: null,
  attachments: [],
  changes: [],
  icon,
  text,
});

const presentBeginning = (
  ticket: Ticket,
  attachments: AttachmentModel[],
  names: Names,
  { actor }: Reader,
): TimelineItem => ({
  anchor: 'description',
  kind: 'description',
  author: names.person(ticket.createdById ?? ticket.requesterId),
  isMine: (ticket.createdById ?? ticket.requesterId) === actor.userId,
  isPrivate: false,
  isNew: false,
  writtenAt: ticket.createdAt,
  body: ticket.description,
  state: null,
  attachments,
  changes: [],
});

function presentEntry(
  entry: TimelineEntry,
  attachments: AttachmentModel[],
  names: Names,
  reader: Reader,
): TimelineItem {
  return {
    anchor: `${entry.kind}-${entry.id}`,
    kind: entry.kind,
    author: entry.authorId === null && entry.authorName === system.name ? '' : entry.authorName,
    isMine: entry.authorId !== null && entry.authorId === reader.actor.userId,
    isPrivate: entry.visibility === 'private',
    isNew:
      reader.seen !== undefined &&
      entry.ticketVersion > reader.seen &&
      entry.authorId !== reader.actor.userId,
    writtenAt: entry.writtenAt,
    body: entry.body,
    state: entry.state,
    attachments,
    changes: (entry.changes ?? []).flatMap((change) => presentChange(change, names, reader)),
  };
}

const toldToRequesters = new Set<FieldChange['field']>(['status', 'title', 'assignees', 'requesterId']);

function presentChange(change: FieldChange, names: Names, { isHelper }: Reader): ChangeModel[] {
  if (!isHelper && !toldToRequesters.has(change.field)) return [];
  const { field } = change;
  const [from, to] = [change.from, change.to].map((value) => wordsFor(field, value, names, { isHelper }));
  const isSame = from?.key === to?.key && from?.text === to?.text;
  if (!from || !to || (isSame && field !== 'description')) return [];
  return [{ field: { key: `tickets:field.${field}` }, from, to, isLong: field === 'description' }];
}

function wordsFor(
  field: FieldChange['field'],
  value: unknown,
  names: Names,
  reader: { isHelper: boolean },
): Words {
  switch (field) {
    case 'status':
      return { key: statusKey(statusFor(value, reader)) };
    case 'urgency':
    case 'impact':
    case 'priority':
      return typeof value === 'number' && isLevel(value) ? { key: levelKey(value) } : { text: '?' };
    case 'type':
      return { key: `tickets:type.${String(value)}` };
    case 'categoryId':
      return typeof value === 'string'
        ? { text: names.category(value) || '?' }
        : { key: 'tickets:value.none' };
    case 'requesterId':
      return { text: names.person(String(value)) };
    case 'observers':
      return listed(Array.isArray(value) ? value.map((id) => names.person(String(id))) : []);
    case 'assignees':
      return listed(assigneeNames(value as Assignees, names));
    case 'title':
      return { text: String(value) };
    case 'description':
      return { text: '' };
  }
}

function statusFor(value: unknown, { isHelper }: { isHelper: boolean }): Status {
  const status = statuses.find((one) => one === value) ?? 'open';
  return isHelper ? status : statusForRequester(status);
}

const assigneeNames = ({ users, groups }: Assignees, names: Names): string[] => [
  ...users.map(names.person),
  ...groups.map(names.group),
];

const listed = (parts: string[]): Words =>
  parts.length > 0 ? { text: parts.join(', ') } : { key: 'tickets:value.nobody' };
