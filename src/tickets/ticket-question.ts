import { searchWords } from '../shared/search-text.ts';

/** What somebody typed into the search box over tickets. */
export interface TicketQuestion {
  words: string[];
  /** The question is a ticket's number: `42`, `#42`. */
  number: number | null;
}

export function questionFrom(typed: string): TicketQuestion {
  const number = /^\s*#?(\d{1,15})\s*$/.exec(typed)?.[1];
  return { words: searchWords(typed), number: number ? Number(number) : null };
}
