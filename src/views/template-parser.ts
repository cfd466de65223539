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
  const program = Handlebars.parse(source);
  new Sealing().accept(program);
  return program;
}
