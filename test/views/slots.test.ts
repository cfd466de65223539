import { describe, expect, test } from 'vitest';
import { guest } from '../../src/shared/actor.ts';
import { type SlotFault, Slots } from '../../src/views/index.ts';
import { galleryPage } from './gallery-model.ts';
import { testRenderer } from './gallery.ts';

function setUp() {
  const renderer = testRenderer();
  const faults: SlotFault[] = [];
  const slots = new Slots({ renderer, onFault: (fault) => faults.push(fault), deadlineMs: 50 });
  renderer.add('tag/list', 'tag', '<b>{{label}}</b>');
  renderer.add('try/page', 'test', '[{{slot "ticket.side"}}|{{slot "ticket.row" id}}]');
  const page = async (wanted: Record<string, unknown>, model = {}): Promise<string> =>
    renderer.render('try/page', model, galleryPage, await slots.resolve(wanted, guest('en'), galleryPage));
  return { slots, faults, page };
}

describe('a slot', () => {
  test('holds what plugins put there, in their order, until they leave', async () => {
    const { slots, page } = setUp();
    slots.add('ticket.side', 'tag', 'tag/list', () => ({ label: 'second' }), 2);
    const undo = slots.add('ticket.side', 'tag', 'tag/list', () => Promise.resolve({ label: '<first>' }), 1);

    expect(await page({ 'ticket.side': {} })).toBe('[<b>&lt;first&gt;</b><b>second</b>|]');
    undo();
    expect(await page({ 'ticket.side': {} })).toBe('[<b>second</b>|]');
  });

  test('in a row is about that row', async () => {
    const { slots, page } = setUp();
    slots.add('ticket.row', 'tag', 'tag/list', (context) => ({ label: `about ${String(context)}` }));

    expect(await page({ 'ticket.row#7': 'seven', 'ticket.row#8': 'eight' }, { id: 8 })).toBe(
      '[|<b>about eight</b>]',
    );
  });

  test('stays empty when its plugin fails or sleeps, and says whose fault it was', async () => {
    const { slots, page, faults } = setUp();
    slots.add('ticket.side', 'broken', 'tag/list', () => {
      throw new Error('no');
    });
    slots.add('ticket.side', 'sleepy', 'tag/list', () => new Promise(() => undefined));
    slots.add('ticket.side', 'tag', 'tag/list', () => ({ label: 'fine' }));
    slots.add('ticket.side', 'shy', 'tag/list', () => null);

    expect(await page({ 'ticket.side': {} })).toBe('[<b>fine</b>|]');
    expect(faults.map(({ owner }) => owner).sort()).toEqual(['broken', 'sleepy']);
  });
});
