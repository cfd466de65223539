import { describe, expect, test } from 'vitest';
import type { PageContext } from '../../src/views/index.ts';
import { galleryPage } from './gallery-model.ts';
import { testRenderer } from './gallery.ts';

function render(source: string, model: object = {}, page: Partial<PageContext> = {}): string {
  const renderer = testRenderer();
  renderer.add('try/it', 'test', source);
  return renderer.render('try/it', model, { ...galleryPage, flash: null, ...page }).trim();
}

describe('a page', () => {
  test('shows what people typed as they typed it, never as markup', () => {
    const html = render('<p title="{{name}}">{{name}} {{rich "hello" name=name}} {{icon name}}</p>', {
      name: '"><script>alert(1)</script>',
    });

    expect(html).not.toContain('<script');
    expect(html).toContain('&lt;script&gt;');
  });

  test('says which text is missing', () => {
    expect(render('{{t "tickets:no.such.text"}}')).toBe('⟦no.such.text⟧');
  });

  test('falls back where a condition does not hold', () => {
    const source = '{{default (and at "again") "run"}}{{#if (and at "x")}}!{{/if}}';

    expect([render(source, { at: 1 }), render(source), render(source, { at: null })]).toEqual([
      'again!',
      'run',
      'run',
    ]);
  });

  test('says which template is missing', () => {
    expect(() => testRenderer().render('no/such', {}, galleryPage)).toThrow('There is no template no/such.');
  });

  test('cannot reach behind its model', () => {
    const html = render('[{{name.constructor.name}}{{name.__proto__.x}}{{lookup this "constructor"}}]', {
      name: 'Jo',
    });

    expect(html).toBe('[]');
  });

  test('speaks the language of its reader, with their plurals and dates', () => {
    const source = '{{t "common:form.error-summary" count=n}} / {{date at format="date"}}';
    const model = { n: 2, at: Date.UTC(2026, 11, 5, 23, 30) };

    expect(render(source, model)).toBe('2 things need your attention / 6 Dec 2026');
    expect(render(source, model, { locale: 'fr' })).toBe('2 points demandent votre attention / 6 déc. 2026');
  });

  test('keeps its own words apart from those of its layout', () => {
    const html = render(
      '{{#> layouts/app title="Ticket"}}{{#*inline "actions"}}<b>{{title}}</b>{{/inline}}<i>{{title}}</i>{{/layouts/app}}',
      { title: 'Paper jam' },
    );

    expect(html).toContain('<h1 class="page-head__title">Ticket</h1>');
    expect(html).toContain('<b>Paper jam</b>');
    expect(html).toContain('<i>Paper jam</i>');
  });

  test('gives a part only what is meant for it', () => {
    const html = render('{{> partials/field name="subject" label="Subject"}}', {
      type: 'incident',
      value: 'x',
      error: 'no',
    });

    expect(html).toContain('type="text"');
    expect(html).toContain('value=""');
    expect(html).not.toContain('aria-invalid');
  });

  test('means its own number, not the helper of that name', () => {
    expect(render('{{#each rows}}{{list}} {{url}};{{/each}}', { rows: [{ list: 7, url: '/a' }] })).toBe(
      '7 /a;',
    );
  });

  test('is only its inside when a part of the page asked for it', () => {
    const html = render('{{#> layouts/app title="A"}}<p>inside</p>{{/layouts/app}}', {}, { fragment: true });

    expect(html).toContain('<p>inside</p>');
    expect(html).not.toContain('<html');
  });

  test('follows the theme that was chosen, or the system', () => {
    const source = '{{#> layouts/plain title="A"}}{{/layouts/plain}}';

    expect(render(source, {}, { theme: 'dark' })).toContain('<html lang="en" data-bs-theme="dark">');
    expect(render(source, {}, { theme: 'auto' })).toContain('<html lang="en">');
  });

  test('keeps the query when one turns the page', () => {
    const html = render(
      '{{> partials/pager page=list}}',
      { list: { page: 2, perPage: 20, total: 57 } },
      { url: '/tickets?q=ink&page=2' },
    );

    expect(html).toContain('/tickets?q&#x3D;ink&amp;page&#x3D;3');
    expect(html).toContain('21 to 40 of 57');
  });

  test('counts no further than a thousand', () => {
    expect(
      render('{{> partials/pager page=list}}', { list: { page: 1, perPage: 20, total: 1001 } }),
    ).toContain('1 to 20 of 1,000+');
  });

  test('ties a problem to its field, for eyes and for ears', () => {
    const html = render(
      '{{> partials/error-summary errors=errors}}{{> partials/field name="email" label="E-mail" error=(error-for errors "email")}}',
      {
        errors: [{ field: 'email', code: 'field.required' }],
      },
    );

    expect(html).toContain('role="alert"');
    expect(html).toContain('<a href="#field-email">Please fill this in.</a>');
    expect(html).toContain('aria-describedby="error-email"');
  });
});

describe('a plugin', () => {
  test('draws a page of ours in its way until it leaves', () => {
    const renderer = testRenderer();
    const before = renderer.render('errors/words', { status: 404 }, galleryPage);

    const undo = renderer.add('partials/key-stub', 'branding', 'mine');
    const during = renderer.render('gallery/join-over', {}, galleryPage);
    undo();

    expect(during).toContain('mine');
    expect(renderer.render('gallery/join-over', {}, galleryPage)).toContain('class="stub"');
    expect(renderer.render('errors/words', { status: 404 }, galleryPage)).toBe(before);
  });

  test('gives way to the one that came before it, in whatever order they leave', () => {
    const renderer = testRenderer();
    const show = (): string => renderer.render('one/page', {}, galleryPage);
    const undoFirst = renderer.add('one/page', 'one', 'first');
    const undoSecond = renderer.add('one/page', 'two', 'second');

    undoFirst();
    expect(show()).toBe('second');
    undoSecond();
    expect(show).toThrow('There is no template');
  });

  test.each([
    'identity/sign-in',
    'identity/sign-in-code',
    'identity/setup',
    'layouts/plain',
    'plugins/list',
    'errors/error',
  ])('cannot draw %s', (template) => {
    expect(() => testRenderer().add(template, 'branding', 'mine')).toThrow('cannot be overridden');
  });
});

describe('a mail', () => {
  test('has a subject of one line and a text part that is not HTML', () => {
    const renderer = testRenderer();
    const mail = renderer.renderMail(
      'gallery/mail',
      {},
      {
        locale: 'en',
        timeZone: 'UTC',
        organisation: { name: "L'Acme\r\nBcc: all <b>" },
        origin: 'https://desk.example.org',
      },
    );

    expect(mail.subject).toBe("Marie invited you to L'Acme Bcc: all <b>");
    expect(mail.text).toContain('https://desk.example.org/join/x?a=1&b=2\n');
    expect(mail.html).not.toContain('<b>');
  });
});
