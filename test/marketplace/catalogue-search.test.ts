import { expect, test } from 'vitest';
import type { CatalogueItem } from '../../src/marketplace/catalogue-item.ts';
import { deleteOlder, putItems, searchItems } from '../../src/marketplace/catalogue-repository.ts';
import {
  countTags,
  Extents,
  listTags,
  type Wish,
} from '../../src/marketplace/catalogue-search-repository.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import { startTestApp } from '../support/test-app.ts';

const everything: Wish = { words: '', tag: '', only: '', sort: 'downloads' };

const plugin = (id: string, description: string, facts: Partial<CatalogueItem> = {}): CatalogueItem => ({
  id,
  publisher: 'Example',
  license: 'MIT',
  homepage: null,
  words: { en: { name: id, description }, fr: { name: id, description: 'Réseau' } },
  readme: {},
  tags: [],
  symbol: 'puzzle',
  icon: null,
  screenshots: [],
  requiredOffers: [],
  trialDays: 0,
  downloads: 0,
  stars: 0,
  ratings: 0,
  opinions: [],
  addedAt: 0,
  updatedAt: 0,
  manifest: null,
  releases: [],
  ...facts,
});

describeOnEachEngine('somebody who searches the catalogue', (engine) => {
  test('finds by the beginnings of all words, whether few plugins have them or more than a thousand', async () => {
    const { db } = await startTestApp({ engine });
    const many = Array.from({ length: 1_200 }, (_, at) => plugin(`p-${String(at)}`, 'Printers of an office'));
    await db.transaction(async (tx) => {
      for (let at = 0; at < many.length; at += 100)
        await putItems(tx, many.slice(at, at + 100), { generation: 1 });
      const last = plugin('garden', 'Printers among flowers', { tags: ['Garden'], downloads: 3 });
      await putItems(tx, [last], { generation: 1 });
      await countTags(tx);
    });
    const found = async (words: string, more: Partial<Wish> = {}): Promise<string[]> =>
      (await searchItems(db, { ...everything, ...more, words }, { offset: 0, limit: 3 })).items.map(
        ({ id }) => id,
      );
    const counted = async (words: string): Promise<number> =>
      (await searchItems(db, { ...everything, words }, { offset: 0, limit: 3 })).total;

    expect(await found('print flow')).toEqual(['garden']);
    expect(await found('FLÖWERS')).toEqual(['garden']);
    expect(await found('lowers')).toEqual([]);
    expect((await found('printers'))[0]).toBe('garden');
    expect(await found('printers office réseau')).toHaveLength(3);
    expect(await found('printers office')).not.toContain('garden');
    expect(await found('printers', { tag: 'garden' })).toEqual(['garden']);
    const lastPage = await searchItems(db, { ...everything, words: 'printers' }, { offset: 1_198, limit: 3 });
    expect(lastPage.items.map(({ id }) => id)).toEqual(['p-10', 'p-1', 'p-0']);
    expect(await found('printers office', { only: 'premium' })).toEqual([]);
    expect(await found('printers office', { only: 'free' })).toHaveLength(3);
    expect(await found('printers flowers', { only: 'free', tag: 'garden' })).toEqual(['garden']);
    expect(await counted('printers')).toBe(1_001);
    expect(await counted('printers flowers')).toBe(1);
    expect(await listTags(db)).toEqual([{ tag: 'garden', label: 'Garden', count: 1 }]);
  });

  test('no longer finds what the hub no longer has, nor by words that a plugin no longer has', async () => {
    const { db } = await startTestApp({ engine });
    const extents = new Extents();
    let reading = 0;
    const ids = async (words: string): Promise<string[]> => {
      const wish = { ...everything, words };
      const range = { offset: 0, limit: 9 };
      const { items, total } = await searchItems(db, wish, range, extents.asOf(String(reading)));
      expect(total).toBe(items.length);
      return items.map(({ id }) => id);
    };
    const read = async (generation: number, items: CatalogueItem[]): Promise<void> => {
      await db.transaction(async (tx) => {
        await putItems(tx, items, { generation });
        await deleteOlder(tx, generation);
      });
      reading = generation;
    };
    await read(1, [plugin('one', 'Old words'), plugin('two', 'Steady'), plugin('three', 'Going')]);
    expect([await ids('old'), await ids('new'), await ids('going')]).toEqual([['one'], [], ['three']]);
    expect([await ids('old'), await ids('steady going')]).toEqual([['one'], []]);

    await read(2, [plugin('one', 'New words'), plugin('two', 'Steady')]);

    expect(await ids('old')).toEqual([]);
    expect(await ids('new')).toEqual(['one']);
    expect(await ids('steady')).toEqual(['two']);
    expect(await ids('going')).toEqual([]);
  });
});
