import { typedList, typedText } from './ticket-forms.ts';
import type { TimelineEntry } from './timeline.ts';

type Typed = Record<string, string | string[]>;

/** What the form of facts shows: what was typed where something was, else how the ticket is now. */
export interface TypedFacts {
  text(field: string, current: string): string;
  list(field: string, current: string[]): string[];
}

export const nothingTyped: TypedFacts = {
  text: (_, current) => current,
  list: (_, current) => current,
};

/**
 * After a collision a field that one did not touch takes the other's value: sending the form again must not undo
 * what the other did. Untouched is what still says what it said in the version that was `seen`.
 */
export function typedFacts(
  typed: Typed,
  entries: readonly TimelineEntry[],
  seen: number | undefined,
): TypedFacts {
  const before = valuesBefore(entries, seen);
  return {
    text(field, current) {
      const said = typedText(typed[field]);
      return before.has(field) && asText(before.get(field)) === said ? current : said;
    },
    list(field, current) {
      const said = typedList(typed[field]).toSorted();
      return before.has(field) && asText(before.get(field)) === asText(said) ? current : said;
    },
  };
}

/** The fields that others changed since, as they were before. */
function valuesBefore(entries: readonly TimelineEntry[], seen: number | undefined): Map<string, unknown> {
  const before = new Map<string, unknown>();
  if (seen === undefined) return before;
  const later = entries.filter(({ ticketVersion }) => ticketVersion > seen);
  for (const { field, from } of later.flatMap(({ changes }) => changes ?? [])) {
    for (const [name, value] of namesInForm(field, from)) if (!before.has(name)) before.set(name, value);
  }
  return before;
}

function namesInForm(field: string, value: unknown): [string, unknown][] {
  if (field !== 'assignees' || typeof value !== 'object' || value === null) return [[field, value]];
  return [
    ['assignedUsers', 'users' in value ? value.users : []],
    ['assignedGroups', 'groups' in value ? value.groups : []],
  ];
}

function asText(value: unknown): string {
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return value.join(' ');
  return typeof value === 'string' ? value : '';
}
