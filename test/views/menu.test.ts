import { expect, test } from 'vitest';
import { guest } from '../../src/shared/actor.ts';
import { Menu } from '../../src/views/index.ts';

const entry = (id: string, path: string, order = 0) => ({
  id,
  at: 'main' as const,
  label: id,
  icon: 'home',
  path,
  order,
});
const clerk = { ...guest('en'), can: (right: string) => right === 'ticket.read' };

test('people see the entries they may open, in order, the current one marked', () => {
  const menu = new Menu();
  menu.add({ ...entry('tickets', '/tickets', 2), right: 'ticket.read' });
  menu.add({ ...entry('users', '/admin/users', 3), right: 'user.manage' });
  menu.add(entry('home', '/', 1));

  const { main } = menu.visibleTo(clerk, '/tickets/42');

  expect(main.map(({ id, active }) => [id, active])).toEqual([
    ['home', false],
    ['tickets', true],
  ]);
});

test('only the nearest entry is the current one', () => {
  const menu = new Menu();
  menu.add(entry('admin', '/admin'));
  menu.add(entry('users', '/admin/users'));
  menu.add(entry('home', '/'));

  const current = (path: string) => menu.visibleTo(clerk, path).main.find(({ active }) => active)?.id;

  expect([
    current('/admin/users/7'),
    current('/admin/usersettings'),
    current('/'),
    current('/elsewhere'),
  ]).toEqual(['users', 'admin', 'home', undefined]);
});

test('a plugin that leaves takes its entry with it', () => {
  const menu = new Menu();
  const undo = menu.add(entry('tag', '/p/tag'));

  expect(() => menu.add(entry('tag', '/elsewhere'))).toThrow('already');
  undo();
  expect(menu.visibleTo(clerk, '/').main).toEqual([]);
});
