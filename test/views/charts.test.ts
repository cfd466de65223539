import { describe, expect, test } from 'vitest';
import { galleryPage } from './gallery-model.ts';
import { testRenderer } from './gallery.ts';

function draw(source: string, model: object): string {
  const renderer = testRenderer();
  renderer.add('try/it', 'test', source);
  return renderer.render('try/it', model, galleryPage);
}

const items = [
  { label: 'Mon <1>', value: 3 },
  { label: 'Tue', value: 0 },
];

describe.each(['chart-bars', 'chart-line', 'chart-donut'])('%s', (chart) => {
  test('says in a table what it draws, and escapes it', () => {
    const html = draw(`{{${chart} items title="Opened" what="Day"}}`, { items });

    expect(html).toContain('<th scope="row">Mon &lt;1&gt;</th><td>3</td>');
    expect(html).toContain('aria-label="Opened"');
    expect(html).not.toMatch(/style=|<1>|NaN|undefined/);
  });

  test.each([{ items: [] }, { items: [{ label: 'one', value: 1 }] }, { items: undefined }])(
    'draws %o',
    (model) => {
      expect(draw(`{{${chart} items title="Opened"}}`, model)).not.toMatch(/NaN|Infinity|undefined/);
    },
  );
});

test('a chart of zeros says so in words', () => {
  const html = draw('{{chart-bars items title="Opened"}}', { items: [{ label: 'Mon', value: 0 }] });

  expect(html).toContain('Nothing yet.');
  expect(html).not.toContain('<svg');
});

test('long names stand above their bars', () => {
  const long = ['Accounts and passwords', 'Mail and calendar', 'Printing'].map((label) => ({
    label,
    value: 2,
  }));

  expect(draw('{{chart-bars items title="Open"}}', { items: long })).toContain('chart__track');
});

test('the seat bar turns amber when few are left, and never overflows', () => {
  const bar = (used: number, pending: number, total: number | null): string =>
    draw('{{seat-bar used=used pending=pending total=total label="seats"}}', { used, pending, total });

  expect(bar(3, 1, 25)).not.toContain('nearly-full');
  expect(bar(18, 2, 25)).toContain('nearly-full');
  expect(bar(30, 5, 25)).not.toMatch(/width="(1[0-9]{2,}\.|10[1-9]|1[1-9]\d)/);
  expect(bar(400, 0, null)).not.toContain('nearly-full');
});
