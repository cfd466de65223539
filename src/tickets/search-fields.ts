import type { Hooks } from '../hooks/hooks.ts';
import type { Actor } from '../shared/actor.ts';
import { ticketSearchFields, type SearchField } from './desk-contributions.ts';
import type { TicketFilter } from './ticket-filter.ts';

const FIELD_WORD = /(?<!\S)([\p{L}][\p{L}\d-]*):(\S+)/gu;

/** Takes the fields that plugins know out of the words, and narrows the list to what they have found. */
export async function withSearchFields(
  hooks: Hooks,
  actor: Actor,
  filter: TicketFilter,
): Promise<TicketFilter> {
  const asked = fieldsIn(filter.q);
  if (Object.keys(asked).length === 0) return filter;
  const answered = (await hooks.gather(ticketSearchFields, { actor, asked }))
    .map(({ thing }) => thing)
    .filter((field): field is Required<SearchField> => field.found !== undefined && field.name in asked);
  if (answered.length === 0) return filter;
  const known = new Set(answered.map(({ name }) => name));
  return {
    ...filter,
    q: filter.q
      .replace(FIELD_WORD, (word, name: string) => (known.has(name.toLowerCase()) ? ' ' : word))
      .trim(),
    among: inAll([...(filter.among ? [filter.among] : []), ...answered.map(({ found }) => found)]),
  };
}

/** What whoever searches may type besides words. */
export async function searchExamples(hooks: Hooks, actor: Actor): Promise<string[]> {
  const fields = await hooks.gather(ticketSearchFields, { actor, asked: {} });
  return fields.map(({ thing }) => thing.example);
}

function fieldsIn(typed: string): Record<string, string[]> {
  const asked: Record<string, string[]> = {};
  for (const [, name = '', value = ''] of typed.matchAll(FIELD_WORD))
    (asked[name.toLowerCase()] ??= []).push(value);
  return asked;
}

const inAll = ([first = [], ...others]: readonly (readonly string[])[]): string[] =>
  first.filter((id) => others.every((other) => other.includes(id)));
