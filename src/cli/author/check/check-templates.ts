import Handlebars from 'handlebars';
import { guess } from '../../../shared/guess.ts';
import { parseHandlebars } from '../../../views/index.ts';
import { at, lineAt, matches, type Problem, type Subject, type Surface } from './subject.ts';

export function templateProblems({ manifest, sources, surface }: Subject): Problem[] {
  const templates = sources.filter(({ path }) => path.endsWith('.hbs'));
  const own = templates.map(({ path }) =>
    path.replace(`${manifest.views}/`, `${manifest.id}/`).slice(0, -'.hbs'.length),
  );
  const known = new Set([...surface.templates.keys(), ...own]);
  return templates.flatMap(({ path, text }) => [
    ...syntaxProblems(path, text, surface),
    ...[...text.matchAll(/\{\{#?>\s*([a-z0-9-]+(?:\/[a-z0-9-]+)+)/g)]
      .filter(([, name = '']) => !known.has(name))
      .map(({ 1: name = '', index }) =>
        at(path, lineAt(text, index), `There is no template "${name}".${guess(name, known)}`),
      ),
    ...matches(text, /\{\{\{/g).map((line) =>
      at(path, line, '{{{ writes what it is given as it is: use {{.'),
    ),
    ...(path.startsWith(`${manifest.views}/mail/`)
      ? []
      : [
          ...matches(text, /<script(?![^>]*\bsrc=)[^>]*>|\son[a-z]+=/gi).map((line) =>
            at(
              path,
              line,
              'Scripts in a page do not run: put them into public/ and name them with {{asset}}.',
            ),
          ),
          ...matches(text, /<style[\s>]|\sstyle=/gi).map((line) =>
            at(path, line, 'Styles in a page have no effect: put them into a file in public/.'),
          ),
        ]),
    ...matches(text, /<form[^>]*method="post"(?![\s\S]{0,600}\{\{csrf\}\})/gi).map((line) =>
      at(path, line, 'A form that posts needs {{csrf}}, or it is refused.'),
    ),
  ]);
}

function syntaxProblems(path: string, text: string, { helpers, icons }: Surface): Problem[] {
  try {
    const calls = new Calls();
    calls.accept(parseHandlebars(text));
    return [
      ...calls.found
        .filter(({ name }) => !helpers.has(name))
        .map(({ name, line }) => at(path, line, `There is no helper "${name}".${guess(name, helpers)}`)),
      ...calls.found
        .filter(({ name, first }) => name === 'icon' && first !== null && !icons.has(first))
        .map(({ first, line }) =>
          at(path, line, `There is no icon "${first ?? ''}".${guess(first ?? '', icons)}`),
        ),
    ];
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const line = Number(/line (\d+)/.exec(message)?.[1] ?? 0);
    return [at(path, line || null, message.replace(/^line \d+: /, ''))];
  }
}

/** Every helper that a template calls with arguments; a name alone may be a value. */
class Calls extends Handlebars.Visitor {
  readonly found: { name: string; line: number; first: string | null }[] = [];

  override MustacheStatement(call: hbs.AST.MustacheStatement): void {
    if (call.params.length > 0) this.#note(call);
    super.MustacheStatement(call);
  }

  override SubExpression(call: hbs.AST.SubExpression): void {
    this.#note(call);
    super.SubExpression(call);
  }

  #note({ path, params, loc }: hbs.AST.MustacheStatement | hbs.AST.SubExpression): void {
    if (!('original' in path)) return;
    const [first] = params;
    const words = first?.type === 'StringLiteral' ? (first as hbs.AST.StringLiteral).value : null;
    this.found.push({ name: path.original, line: loc.start.line, first: words });
  }
}
