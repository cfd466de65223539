import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { newId } from '../../src/shared/ids.ts';
import { imageSizeOf } from '../../src/tickets/image-size.ts';
import { foldText } from '../../src/shared/search-text.ts';
import { questionFrom } from '../../src/tickets/ticket-question.ts';
import { csvOf } from '../../src/tickets/ticket-csv.ts';
import { filterQuery, queryOf } from '../../src/tickets/ticket-filter.ts';
import {
  levels,
  mayBecome,
  priorityOf,
  statusAfter,
  statuses,
  statusForRequester,
} from '../../src/tickets/ticket.ts';
import { picture } from './ticket-support.ts';

describe('the status of a ticket', () => {
  const asks = { side: 'asking', visibility: 'public' } as const;
  const helps = { side: 'helping', visibility: 'public' } as const;

  test.each(['pending', 'on-hold', 'solved'] as const)(
    'is open again when the requester answers to %s',
    (status) => {
      expect(statusAfter(status, asks)).toBe('open');
    },
  );

  test('stays new until somebody helps', () => {
    expect(statusAfter('new', asks)).toBe('new');
    expect(statusAfter('new', { ...helps, visibility: 'private' })).toBe('new');
    expect(statusAfter('new', helps)).toBe('open');
  });

  test('is what the helper asks for along with the words', () => {
    expect(statusAfter('open', { ...helps, then: 'pending' })).toBe('pending');
    expect(statusAfter('open', { ...helps, then: 'new' })).toBe('open');
  });

  test('never leaves closed, and never comes back to new', () => {
    for (const status of statuses) {
      expect(mayBecome('closed', status)).toBe(status === 'closed');
      expect(mayBecome(status, 'new')).toBe(status === 'new');
      expect(statusAfter('closed', { ...helps, then: status })).toBe('closed');
    }
  });

  test('on hold is open to the requester', () => {
    expect(statusForRequester('on-hold')).toBe('open');
    expect(statusForRequester('pending')).toBe('pending');
  });
});

describe('the priority', () => {
  test('follows from urgency and impact, and grows with both', () => {
    expect([priorityOf(1, 1), priorityOf(3, 3), priorityOf(5, 5), priorityOf(5, 1)]).toEqual([1, 3, 5, 2]);
    for (const urgency of levels) {
      for (const impact of levels) {
        expect(priorityOf(urgency, impact)).toBe(priorityOf(impact, urgency));
        const less = levels.find((level) => level === urgency - 1) ?? urgency;
        expect(priorityOf(urgency, impact)).toBeGreaterThanOrEqual(priorityOf(less, impact));
      }
    }
  });
});

describe('a search', () => {
  test('folds case and diacritics, and knows only letters and digits', () => {
    expect(foldText("L'IMPRIMANTE est déjà cassée: ﬁn_")).toBe('l imprimante est deja cassee fin');
  });

  test('looks for words of three letters or more, and for a number', () => {
    expect(questionFrom('  Écran  du PC +"x" -toner* ')).toEqual({ words: ['ecran', 'toner'], number: null });
    expect(questionFrom('#42')).toEqual({ words: [], number: 42 });
    expect(questionFrom('1042')).toEqual({ words: ['1042'], number: 1042 });
  });

  test('does not ask for words that MariaDB never indexes', () => {
    expect(questionFrom('about the printer').words).toEqual(['printer']);
  });
});

describe('an export', () => {
  test('gives a spreadsheet nothing to run', () => {
    const csv = csvOf(
      ['a', 'b'],
      [
        ['=HYPERLINK("http://x")', '+1'],
        ['-2', '@sum'],
        ['\t=1', 'plain, with comma'],
      ],
    );

    expect(csv).toBe(
      '\uFEFFa,b\r\n"\'=HYPERLINK(""http://x"")",\'+1\r\n\'-2,\'@sum\r\n\'\t=1,"plain, with comma"\r\n',
    );
  });
});

describe('a filter', () => {
  test('goes into an address and comes back', () => {
    const filter = filterQuery.parse({
      q: 'toner',
      status: 'pending',
      assignee: 'me',
      priority: '4',
      sort: '-created',
    });

    expect(filterQuery.parse(Object.fromEntries(new URLSearchParams(queryOf(filter))))).toEqual(filter);
  });

  test('leaves out what it does not understand', () => {
    const filter = filterQuery.parse({
      status: 'lost',
      priority: '9',
      from: '2026-99-99',
      sort: 'DROP TABLE',
      q: ['a', 'b'],
    });

    expect(filter).toEqual(filterQuery.parse({}));
  });
});

describe('a picture', () => {
  test.each(Object.keys(picture))('of type %s tells its size', async (type) => {
    const { bytes, width, height } = picture[type as keyof typeof picture];
    const path = join(inject('folder'), newId());
    await writeFile(path, bytes);

    expect(await imageSizeOf(path, type)).toEqual({ width, height });
  });

  test('that is cut short tells none', async () => {
    const path = join(inject('folder'), newId());
    await writeFile(path, picture['image/png'].bytes.subarray(0, 12));

    expect(await imageSizeOf(path, 'image/png')).toBeNull();
  });
});
