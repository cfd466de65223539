import { normaliseAddress } from '../keys/address.ts';

export type TableFormat = 'addresses' | 'table' | 'discourse';

/** One person as a line of a file names them. Nothing is judged yet. */
export interface PersonRow {
  /** Counted from 1, as an editor shows it. */
  line: number;
  /** What stands there, for whoever corrects it. */
  written: string;
  email: string;
  name: string;
  locale: string;
  groups: string[];
  staffNumber: string;
}

export interface PeopleTable {
  format: TableFormat;
  delimiter: string;
  rows: Generator<PersonRow>;
}

type Field = 'email' | 'name' | 'firstName' | 'lastName' | 'groups' | 'locale' | 'topic' | 'staffNumber';

const names: Record<Field, readonly string[]> = {
  email: [
    'email',
    'e mail',
    'mail',
    'email address',
    'e mail address',
    'user email',
    'invitee',
    'adresse',
    'adresse mail',
    'adresse email',
    'adresse e mail',
    'courriel',
    'mel',
  ],
  name: ['name', 'full name', 'display name', 'nom complet', 'nom et prenom', 'prenom et nom', 'personne'],
  firstName: ['first name', 'firstname', 'given name', 'prenom'],
  lastName: ['last name', 'lastname', 'surname', 'family name', 'nom', 'nom de famille'],
  groups: [
    'groups',
    'group',
    'group names',
    'groupes',
    'groupe',
    'teams',
    'team',
    'equipe',
    'equipes',
    'department',
    'departments',
    'departement',
    'departements',
    'division',
    'service',
    'services',
  ],
  locale: ['locale', 'language', 'lang', 'langue'],
  topic: ['topic id', 'topic', 'sujet'],
  staffNumber: [
    'staff number',
    'staff no',
    'employee number',
    'employee id',
    'personnel number',
    'number',
    'matricule',
    'numero',
    'student number',
    'student id',
  ],
};

const DELIMITERS = [',', ';', '\t', '|'] as const;
const WRITTEN = 300;
const SAMPLE = 40;
const DIGITS = /^\d*$/;

type Columns = Partial<Record<Field, number>>;
interface Record_ {
  line: number;
  written: string;
  cells: string[];
}

/**
 * Reads a pasted list or a table: `a@x, b@x`, one address a line, `Jo Martin <jo@x>`, a spreadsheet with or without a heading,
 * and what Discourse takes for invitations (address, groups with semicolons, topic, further columns by name).
 */
export function readPeople(text: string, { staffNumbers = false } = {}): PeopleTable {
  const { body, declared } = withoutDeclaration(text.replace(/^\uFEFF/, ''));
  const delimiter = declared ?? likelyDelimiter(body);
  const sample = take(records(body, delimiter), SAMPLE);
  const heading = sample[0] && headingOf(sample[0].cells);
  const columns = heading ?? guessed(sample, staffNumbers);
  const format = formatOf(columns, heading !== null && heading !== undefined, sample);
  return {
    format,
    delimiter,
    rows: people(records(body, delimiter), { columns, hasHeading: Boolean(heading), staffNumbers }),
  };
}

/** What stands over columns that nothing here reads: whoever wrote them down ought to know. */
export function columnsNotRead(text: string): string[] {
  const { body, declared } = withoutDeclaration(text.replace(/^\uFEFF/, ''));
  const [heading] = take(records(body, declared ?? likelyDelimiter(body)), 1);
  const columns = heading && headingOf(heading.cells);
  if (!columns) return [];
  const read = new Set(Object.values(columns));
  return heading.cells.map((cell) => cell.trim()).filter((cell, at) => cell !== '' && !read.has(at));
}

/** `sep=;` on the first line is how some spreadsheets say it. It stays a line, so that the others keep their numbers. */
function withoutDeclaration(text: string): { body: string; declared: string | null } {
  const [, declared] = /^sep=([,;\t|])\r?(?=\n)/i.exec(text) ?? [];
  return { body: declared === undefined ? text : text.replace(/^[^\n]*/, ''), declared: declared ?? null };
}

/** The one that leaves an address alone in its cell most often; a semicolon inside a group list does not count. */
function likelyDelimiter(text: string): string {
  let best = { delimiter: ',', score: -1 };
  for (const delimiter of DELIMITERS) {
    const sample = take(records(text, delimiter), SAMPLE);
    const alone = sample.filter(({ cells }) => cells.some((cell) => addressIn(cell) !== null)).length;
    const known = sample[0] && headingOf(sample[0].cells) ? 2 : 0;
    const width = Math.max(0, ...sample.map(({ cells }) => cells.length)) > 1 ? 0.5 : 0;
    const score = alone + known + width;
    if (score > best.score) best = { delimiter, score };
  }
  return best.delimiter;
}

function headingOf(cells: readonly string[]): Columns | null {
  if (cells.some((cell) => addressIn(cell) !== null)) return null;
  const columns: Columns = {};
  cells.forEach((cell, at) => {
    const said = folded(cell);
    for (const field of Object.keys(names) as Field[]) if (names[field].includes(said)) columns[field] ??= at;
  });
  return columns.email === undefined && columns.staffNumber === undefined ? null : columns;
}

/** Without a heading the address stands where most addresses stand; three columns that end in digits are what Discourse takes. */
function guessed(sample: readonly Record_[], staffNumbers: boolean): Columns {
  if (staffNumbers) return { staffNumber: 0 };
  const counts = new Map<number, number>();
  for (const { cells } of sample)
    cells.forEach((cell, at) => {
      if (addressIn(cell) !== null) counts.set(at, (counts.get(at) ?? 0) + 1);
    });
  const [email = 0] = [...counts].sort(([, one], [, other]) => other - one)[0] ?? [];
  const isDiscourse =
    email === 0 &&
    sample.length > 0 &&
    sample.every(({ cells }) => cells.length === 3 && DIGITS.test((cells[2] ?? '').trim()));
  return isDiscourse ? { email, groups: 1, topic: 2 } : { email };
}

function formatOf(columns: Columns, hasHeading: boolean, sample: readonly Record_[]): TableFormat {
  if (columns.topic !== undefined) return 'discourse';
  if (hasHeading && columns.email === 0 && columns.groups === 1) return 'discourse';
  return hasHeading || sample.some(({ cells }) => cells.length > 1 && manyAddresses(cells).length < 2)
    ? 'table'
    : 'addresses';
}

function* people(
  all: Generator<Record_>,
  { columns, hasHeading, staffNumbers }: { columns: Columns; hasHeading: boolean; staffNumbers: boolean },
): Generator<PersonRow> {
  let isHeading = hasHeading;
  for (const { line, written, cells } of all) {
    if (isHeading) {
      isHeading = false;
      continue;
    }
    const several = hasHeading || staffNumbers ? [] : manyAddresses(cells);
    if (several.length > 1) {
      for (const one of several) yield blank({ line, written: one, ...nameAndAddress(one) });
      continue;
    }
    const isFree = !hasHeading && !staffNumbers && columns.topic === undefined;
    yield (isFree ? namedBefore(line, written, cells) : null) ?? personOf(line, written, cells, columns);
  }
}

/** `Bo Holm, bo@acme.test`: with no heading to say what stands where, the words before a lone address are its name. */
function namedBefore(line: number, written: string, cells: readonly string[]): PersonRow | null {
  const at = cells.findIndex((cell) => addressIn(cell) !== null);
  if (at < 1) return null;
  const { email, name } = nameAndAddress(cells[at] ?? '');
  const before = cells.slice(0, at).map((cell) => cell.trim());
  const said = before.filter((cell) => /^[^\d@;|]*\p{L}[^\d@;|]*$/u.test(cell)).join(' ');
  return blank({ line, written, email, name: (name || said).slice(0, 200) });
}

function personOf(line: number, written: string, cells: readonly string[], columns: Columns): PersonRow {
  const at = (field: Field): string => {
    const column = columns[field];
    return column === undefined ? '' : (cells[column] ?? '').trim();
  };
  const { email, name } = nameAndAddress(at('email'));
  const said = at('name') || [at('firstName'), at('lastName')].filter((part) => part !== '').join(' ');
  return blank({
    line,
    written,
    email,
    name: (said || name).slice(0, 200),
    locale: at('locale').toLowerCase().slice(0, 2),
    groups: at('groups')
      .split(/[;|]/)
      .map((group) => group.trim())
      .filter((group) => group !== ''),
    staffNumber: at('staffNumber').slice(0, 80),
  });
}

const blank = (row: Partial<PersonRow> & Pick<PersonRow, 'line' | 'written' | 'email'>): PersonRow => ({
  name: '',
  locale: '',
  groups: [],
  staffNumber: '',
  ...row,
  written: row.written.slice(0, WRITTEN),
});

/** Several addresses on one line are a list, whatever stands between them. */
function manyAddresses(cells: readonly string[]): string[] {
  const parts = cells.flatMap((cell) => (addressIn(cell) === null ? cell.split(/[\s,;]+/) : [cell]));
  const wanted = parts.map((part) => part.trim()).filter((part) => part !== '');
  const addresses = wanted.filter((part) => addressIn(part) !== null);
  return addresses.length > 1 ? wanted : [];
}

/** `Jo Martin <jo@acme.test>`, `mailto:jo@acme.test`, or the address alone. */
export function nameAndAddress(cell: string): { email: string; name: string } {
  const tidy = cell.trim();
  const [, name = '', inside] = /^(.*)<([^<>]*)>\s*$/s.exec(tidy) ?? [];
  if (inside === undefined) return { email: tidy.replace(/^mailto:/i, ''), name: '' };
  return { email: inside.trim(), name: name.replace(/^["'\s]+|["'\s]+$/g, '').slice(0, 200) };
}

const addressIn = (cell: string): string | null => normaliseAddress(nameAndAddress(cell).email);

/** RFC 4180, as forgiving as spreadsheets are: quotes may be doubled inside quotes, and a cell may hold a line break. */
export function* records(text: string, delimiter: string): Generator<Record_> {
  let [line, start, at] = [1, 0, 0];
  let [first, cells, cell]: [number, string[], string] = [1, [], ''];
  let isQuoted = false;
  const finish = (): Record_ | null => {
    cells.push(cell);
    const record = { line: first, written: text.slice(start, at).trim(), cells };
    [cells, cell] = [[], ''];
    return record.cells.some((one) => one.trim() !== '') ? record : null;
  };
  for (; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (char === '\n') line += 1;
    if (isQuoted) {
      if (char !== '"') cell += char;
      else if (text[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else isQuoted = false;
    } else if (char === '"' && cell.trim() === '') {
      [isQuoted, cell] = [true, ''];
    } else if (char === delimiter) {
      cells.push(cell);
      cell = '';
    } else if (char === '\n' || (char === '\r' && text[at + 1] !== '\n')) {
      const record = finish();
      if (record) yield record;
      [start, first] = [at + 1, line];
    } else if (char !== '\r') cell += char;
  }
  const last = finish();
  if (last) yield last;
}

function take<T>(from: Generator<T>, count: number): T[] {
  const taken: T[] = [];
  for (const one of from) {
    taken.push(one);
    if (taken.length === count) break;
  }
  return taken;
}

const folded = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, ' ')
    .trim();
