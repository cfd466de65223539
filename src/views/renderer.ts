import Handlebars from 'handlebars';
import { type AssetStore } from './assets.ts';
import { registerHelpers } from './helpers.ts';
import type { I18n } from './i18n.ts';
import { emptyMenu } from './menu.ts';
import type { PageContext, ResolvedSlots } from './page-context.ts';
import { TemplateError } from './template-error.ts';
import { parseTemplate } from './template-parser.ts';
import { TemplateStore } from './template-store.ts';
import type { Undo } from '../hooks/tokens.ts';

interface Deps {
  directory: string;
  i18n: I18n;
  assets: Pick<AssetStore, 'url'>;
  now: () => number;
}

export interface RenderedMail {
  subject: string;
  html: string;
  text: string;
}

/** What a mail needs to know of the house. */
export type MailContext = Pick<PageContext, 'locale' | 'timeZone' | 'organisation' | 'origin'>;

/** Turns a template's name and a model into text. Everything is escaped unless a helper vouches for it. */
export class Renderer {
  readonly #templates: TemplateStore;
  readonly #handlebars = Handlebars.create();

  constructor(deps: Deps) {
    this.#templates = new TemplateStore(deps.directory);
    registerHelpers(this.#handlebars, deps);
    this.#compile(this.#templates.names());
  }

  names(): string[] {
    return this.#templates.names();
  }

  has(template: string): boolean {
    return this.#templates.source(template) !== undefined;
  }

  render(template: string, model: object, page: PageContext, slots: ResolvedSlots = {}): string {
    const compiled: unknown = this.#handlebars.partials[template];
    if (typeof compiled !== 'function') {
      const [owner = ''] = template.split('/');
      throw new TemplateError({ template, owner, source: '' }, `There is no template ${template}.`);
    }
    return (compiled as Handlebars.TemplateDelegate)(model, { data: { page, slots } });
  }

  renderMail(name: string, model: object, context: MailContext): RenderedMail {
    const page = { ...nobodysPage, ...context };
    return {
      subject: oneLine(this.render(`${name}.subject`, model, page)),
      html: this.render(`${name}.html`, model, page),
      text: `${this.render(`${name}.text`, model, page).trim()}\n`,
    };
  }

  /** SHA-256 of our own template, by which one that replaces it knows what it was made from. */
  fingerprint(template: string): string | null {
    return this.#templates.fingerprint(template);
  }

  /** A plugin's own templates are called `<plugin-id>/…`; any other name overrides one of core or of another plugin. */
  add(template: string, owner: string, source: string): Undo {
    const undo = this.#templates.add(template, owner, source);
    this.#compile([template]);
    return () => {
      undo();
      this.#compile([template]);
    };
  }

  /** Compiles all there is, so that a mistake in a template is found before a person opens it. */
  compileAll(): void {
    for (const name of this.#templates.names())
      this.#handlebars.precompile(parseTemplate(this.#templates.source(name) ?? ''), optionsFor(name));
  }

  /** Parsed when first needed: a cold start should not wait for pages nobody opens. */
  #lazily(name: string, source: string): Handlebars.TemplateDelegate {
    let compiled: Handlebars.TemplateDelegate | undefined;
    return (context: unknown, options) => {
      try {
        compiled ??= this.#handlebars.compile(parseTemplate(source), optionsFor(name));
        return compiled(context, options);
      } catch (error) {
        throw TemplateError.in({ template: name, owner: this.#templates.owner(name), source }, error);
      }
    };
  }

  /** Every template is a partial as well. */
  #compile(names: readonly string[]): void {
    for (const name of names) {
      const source = this.#templates.source(name);
      if (source === undefined) this.#handlebars.unregisterPartial(name);
      else this.#handlebars.registerPartial(name, this.#lazily(name, source));
    }
  }
}

/** Subjects and text parts of mails are not HTML: nothing is escaped there. */
const optionsFor = (name: string): CompileOptions => ({
  preventIndent: true,
  noEscape: /\.(subject|text)$/.test(name),
});

const nobodysPage: PageContext = {
  locale: 'en',
  timeZone: 'UTC',
  nonce: '',
  csrf: '',
  theme: 'light',
  actor: { kind: 'system', userId: null, name: '' },
  organisation: { name: 'Latchkey' },
  menu: emptyMenu,
  flash: null,
  path: '',
  url: '',
  unread: 0,
  origin: '',
  fragment: false,
};

/** A subject never carries a line break, whatever is in a name. */
const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();
