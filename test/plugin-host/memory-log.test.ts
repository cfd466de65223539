import { expect, test } from 'vitest';
import { MemoryLog } from '../../src/plugin-host/memory-log.ts';
import { testClock } from '../support/clock.ts';

const MINUTE = 60_000;

test('a caretaker sees the least that was in use in each five minutes, for a day', () => {
  const clock = testClock();
  const used = [120, 90, 130, 95];
  const log = new MemoryLog(clock, () => used.shift() ?? 100);

  for (let at = 0; at < 4; at += 1) {
    log.take();
    clock.advance(2 * MINUTE);
  }
  expect(log.stretches().map(({ megabytes }) => megabytes)).toEqual([90, 95]);

  for (let at = 0; at < 400; at += 1) {
    clock.advance(5 * MINUTE);
    log.take();
  }
  expect(log.stretches()).toHaveLength(288);
});

test('a caretaker sees what grew since a plugin came, until it goes; what came with the server has no before', () => {
  const clock = testClock();
  let used = 100;
  const log = new MemoryLog(clock, () => used);

  log.began({ id: 'bundled', version: '1.0.0' });
  log.take();
  log.began({ id: 'greedy', version: '2.0.0' });
  clock.advance(10 * MINUTE);
  used = 340;
  log.take();

  expect(log.growths()).toMatchObject([{ plugin: 'greedy', version: '2.0.0', before: 100, now: 340 }]);
  log.ended('greedy');
  expect(log.growths()).toEqual([]);
});
