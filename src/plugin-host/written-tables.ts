interface Written {
  table: string;
  /** Where its name stands. */
  index: number;
}

const NAME = String.raw`[\`"[]?\w+[\`"\]]?(?:\s*\.\s*[\`"[]?\w+[\`"\]]?)?`;
const LIST = String.raw`((?:${NAME})(?:(?:\s+(?:as\s+)?(?!set\b|where\b|using\b)\w+)?\s*(?:,|(?:\w+\s+){0,2}join)\s*(?:${NAME}))*)`;

/** What of a statement is changed by it: names of tables, or lists of them. */
const changing = [
  String.raw`create\s+(?:temporary\s+|temp\s+|virtual\s+)?(?:table|view)\s+(?:if\s+not\s+exists\s+)?(${NAME})`,
  String.raw`create\s+(?:unique\s+|fulltext\s+)?index\s+(?:if\s+not\s+exists\s+)?\w+\s+on\s+(${NAME})`,
  String.raw`drop\s+index\s+(?:if\s+exists\s+)?\w+\s+on\s+(${NAME})`,
  String.raw`alter\s+table\s+(?:if\s+exists\s+)?(${NAME})`,
  String.raw`drop\s+(?:table|view)\s+(?:if\s+exists\s+)?(${NAME}(?:\s*,\s*${NAME})*)`,
  String.raw`rename\s+(?:table\s+|to\s+)(${NAME})`,
  String.raw`truncate\s+(?:table\s+)?(${NAME})`,
  String.raw`(?:insert|replace)\s+(?:(?:or\s+\w+|ignore|low_priority|high_priority|delayed)\s+)*into\s+(${NAME})`,
  String.raw`delete\s+(?:(?:ignore|low_priority|quick)\s+)*(?:[\w\`".]+(?:\s*,\s*[\w\`".]+)*\s+)?from\s+${LIST}`,
  String.raw`(?<!(?:on|key|for|do|before|after|of)\s+)update\s+(?:(?:or\s+(?:abort|fail|ignore|replace|rollback)|ignore|low_priority)\s+)*${LIST}(?=[\s\S]{0,400}?\bset\b)`,
  String.raw`create\s+(?:temporary\s+|temp\s+)?trigger\s[\s\S]*?\son\s+(${NAME})`,
].map((pattern) => new RegExp(String.raw`\b${pattern}`, 'gid'));

/** The tables that SQL makes, alters, drops or writes to, wherever in it that stands; in a file of code or in a statement. */
export function writtenTables(text: string): Written[] {
  const bare = blanked(text, COMMENTS);
  return changing
    .flatMap((pattern) => [...bare.matchAll(pattern)])
    .flatMap((match) => {
      const index = match.indices?.[1]?.[0] ?? match.index;
      return namesIn(match[1] ?? '').map((table) => ({ table, index }));
    });
}

/** A quoted value says nothing of tables. In code the statements themselves are quoted. */
export const withoutValues = (statement: string): string => blanked(statement, /'(?:[^'\\]|''|\\.)*'/g);

/** Each as it is called last: `main.tickets` is `tickets`. */
const namesIn = (list: string): string[] =>
  list
    .split(/,|\bjoin\b/i)
    .map((part) => new RegExp(`^\\s*(${NAME})`).exec(part)?.[1] ?? '')
    .map(
      (name) =>
        name
          .replaceAll(/[`"[\]\s]/g, '')
          .split('.')
          .at(-1) ?? '',
    )
    .filter((name) => name !== '');

const COMMENTS = /--[^\n]*|\/\*[\s\S]*?\*\/|^\s*\/\/[^\n]*/gm;

/** What is left stands where it stood. */
const blanked = (text: string, pattern: RegExp): string =>
  text.replaceAll(pattern, (words) => words.replaceAll(/[^\n]/g, ' '));
