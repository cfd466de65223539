import { describe, expect, test } from 'vitest';
import { KeptPages } from '../../src/views/kept-pages.ts';
import type { PageContext } from '../../src/views/page-context.ts';

const page = (facts: Partial<PageContext> = {}): PageContext => ({
  locale: 'en',
  timeZone: 'UTC',
  nonce: 'n1',
  csrf: 'c1',
  theme: 'auto',
  actor: { kind: 'guest', userId: null, name: 'guest' },
  organisation: { name: 'Acme' },
  menu: { main: [], admin: [], account: [] },
  flash: null,
  path: '/join',
  url: '/join?h=a',
  unread: 0,
  origin: 'https://desk.example.org',
  fragment: false,
  ...facts,
});

function pagesOf(draw: (model: Record<string, unknown>, page: PageContext) => string) {
  const clock = { at: 0, drawn: 0 };
  const renderer = {
    render: (_template: string, model: object, context: PageContext) => {
      clock.drawn += 1;
      return draw(model as Record<string, unknown>, context);
    },
  };
  return { clock, pages: new KeptPages({ renderer, now: () => clock.at }) };
}

describe('a page that three hundred people open in the same minute', () => {
  const form = (model: Record<string, unknown>, { nonce, csrf, locale }: PageContext): string =>
    `${locale}: ${String(model['title'])} <script nonce="${nonce}"></script>[${csrf}][${String(model['redeemId'])}]`;

  test('is drawn once, and each gets their own values in it', () => {
    const { pages, clock } = pagesOf(form);
    const model = { title: 'Hello' };

    const marie = pages.render('join', model, page(), { redeemId: 'r1' });
    const jo = pages.render('join', model, page({ nonce: 'n2', csrf: 'c2' }), { redeemId: 'r2' });

    expect(marie).toBe('en: Hello <script nonce="n1"></script>[c1][r1]');
    expect(jo).toBe('en: Hello <script nonce="n2"></script>[c2][r2]');
    expect(clock.drawn).toBe(1);
  });

  test('is another page as soon as anything else in it differs', () => {
    const { pages, clock } = pagesOf(form);
    const [hello, goodbye] = [{ title: 'Hello' }, { title: 'Goodbye' }];
    const open = (model: object, context: PageContext): string =>
      pages.render('join', model, context, { redeemId: 'r' });

    expect(open(hello, page())).toContain('Hello');
    expect(open(goodbye, page())).toContain('Goodbye');
    expect(open(hello, page({ locale: 'fr' }))).toContain('fr: ');
    expect(open(hello, page({ organisation: { name: 'Other' } }))).toContain('Hello');
    expect(clock.drawn).toBe(4);
  });

  test('is drawn again after a while, since "in two hours" passes', () => {
    const { pages, clock } = pagesOf(form);
    const model = { title: 'Hello' };
    const open = (): string => pages.render('join', model, page(), { redeemId: 'r' });

    open();
    clock.at += 60_000;
    open();

    expect(clock.drawn).toBe(2);
  });

  test('never lets a value of one’s own write into the page', () => {
    const { pages } = pagesOf(form);

    const html = pages.render('join', { title: 'x' }, page(), { redeemId: '"><script>' });

    expect(html).not.toContain('<script>');
  });

  test('that says its own address is not kept', () => {
    const { pages, clock } = pagesOf(
      (_model, { url }) => `<a href="/login?next=${encodeURIComponent(url)}">`,
    );
    const model = {};

    const html = pages.render('join', model, page(), {});
    pages.render('join', model, page({ url: '/join?h=b' }), {});

    expect(html).toBe('<a href="/login?next=%2Fjoin%3Fh%3Da">');
    expect(clock.drawn).toBe(4);
  });
});
