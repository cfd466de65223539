import Handlebars from 'handlebars';

const NOTHING = Handlebars.parse('{{> nothing undefined}}').body[0] as hbs.AST.PartialStatement;

/**
 * Layouts and the parts in `partials/` see only what they are given: Handlebars would hand them all that stands around,
 * and a ticket's `type` would become an input's.
 */
class Sealing extends Handlebars.Visitor {
  override PartialStatement(partial: hbs.AST.PartialStatement): void {
    if (nameOf(partial).startsWith('partials/')) seal(partial);
    super.PartialStatement(partial);
  }

  override PartialBlockStatement(partial: hbs.AST.PartialBlockStatement): void {
    if (nameOf(partial).startsWith('layouts/')) seal(partial);
    super.PartialBlockStatement(partial);
  }
}

const nameOf = ({ name }: hbs.AST.PartialStatement | hbs.AST.PartialBlockStatement): string =>
  'original' in name ? name.original : '';

const seal = (partial: hbs.AST.PartialStatement | hbs.AST.PartialBlockStatement): void => {
  if (partial.params.length === 0) partial.params.push(...NOTHING.params);
};

export function parseTemplate(source: string): hbs.AST.Program {
  const program = parseHandlebars(source);
  new Sealing().accept(program);
  return program;
}

/** @throws {Error} that says in a sentence what is wrong in which line; the library's own lists what it might have read instead. */
export function parseHandlebars(source: string): hbs.AST.Program {
  try {
    return Handlebars.parse(source);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new Error(sentenceFor(error.message) ?? error.message, { cause: error });
  }
}

function sentenceFor(message: string): string | null {
  const crossed = /^(.+) doesn't match (.+) - (\d+):/.exec(message);
  if (crossed) {
    const [, opened = '', closed = '', line = ''] = crossed;
    return `line ${line}: {{#${opened}}} is closed by {{/${closed}}}`;
  }
  const unread = /^Parse error on line (\d+):\n(.*)\n.*\n.*got '(\w+)'$/.exec(message);
  if (!unread) return null;
  const [, line = '', before = '', token] = unread;
  const near = before.trim().slice(0, 60);
  return token === 'EOF'
    ? `line ${line}: the file ends, and a {{#…}} is still open`
    : `line ${line}: this is no tag that can be read, at “${near}”; is a }} or a quote missing?`;
}
