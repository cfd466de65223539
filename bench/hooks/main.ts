import { median } from '../report.ts';
import { laterContenders, syncContenders, type Contender, type Dispatch } from './contenders.ts';
import { expected, type About } from './listeners.ts';

const ROUNDS = 15;
const ABOUT: About = { ticketId: 3 };
/** So many hooks of each contender are used in turn: as in a house, no call site knows only one. */
const HOOKS = 12;

interface Times {
  contender: Contender<unknown>;
  nanoseconds: number;
  /** Times the floor, by round: both were measured a moment apart. */
  ratio: number;
}

/** What a dispatch costs beside six libraries and beside plain calls, in CPU time, in one process, taking turns. */
export async function benchHooks(): Promise<boolean> {
  const bars: boolean[] = [];
  for (const count of [0, 1, 10]) {
    const times = await compare(syncContenders, count, (dispatches, n) => turnSync(dispatches, n), 150_000);
    print(`Synchronous filter, ${listenersText(count)}`, times);
    bars.push(...barsOf(times, count, { ten: 2, isSync: true }));
  }
  for (const count of [0, 1, 10]) {
    const times = await compare(laterContenders, count, turnLater, count === 10 ? 10_000 : 30_000);
    print(`Asynchronous filter, ${listenersText(count)}`, times);
    bars.push(...barsOf(times, count, { ten: 1.5, isSync: false }));
  }
  return bars.every(Boolean);
}

type Turn<R> = (dispatches: readonly Dispatch<R>[], times: number) => number | Promise<number>;

async function compare<R>(
  contenders: readonly Contender<R>[],
  count: number,
  turn: Turn<R>,
  times: number,
): Promise<Times[]> {
  const all = contenders.map((contender) => ({
    contender,
    dispatches: Array.from({ length: HOOKS }, () => contender.make(count)),
    took: [] as number[],
  }));
  for (const { contender, dispatches } of all) await assertRight(contender, dispatches, count);
  for (let round = -3; round < ROUNDS; round += 1) {
    for (const { dispatches, took } of inAnyOrder(all)) {
      const spent = await turn(dispatches, times);
      if (round >= 0) took.push(spent / times);
    }
  }
  const floor = all[0]?.took ?? [];
  return all.map(({ contender, took }) => ({
    contender,
    nanoseconds: median(took),
    ratio: median(took.map((one, round) => one / (floor[round] ?? Number.NaN))),
  }));
}

async function assertRight<R>(
  { name }: Contender<R>,
  dispatches: readonly Dispatch<R>[],
  count: number,
): Promise<void> {
  for (const dispatch of dispatches) {
    if ((await dispatch(1, ABOUT)) !== expected(count, 1, ABOUT)) throw new Error(`${name} answers wrong`);
  }
}

function turnSync(dispatches: readonly Dispatch<number>[], times: number): number {
  const spent = cpuNanoseconds();
  for (let time = 0; time < times; time += 1) (dispatches[time % HOOKS] as Dispatch<number>)(time, ABOUT);
  return cpuNanoseconds() - spent;
}

async function turnLater(dispatches: readonly Dispatch<Promise<number>>[], times: number): Promise<number> {
  const spent = cpuNanoseconds();
  for (let time = 0; time < times; time += 1)
    await (dispatches[time % HOOKS] as Dispatch<Promise<number>>)(time, ABOUT);
  return cpuNanoseconds() - spent;
}

/** Of this process alone: what others do on the machine does not count. */
function cpuNanoseconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1_000;
}

function inAnyOrder<T>(all: readonly T[]): T[] {
  return all
    .map((one) => ({ one, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one);
}

function print(title: string, times: readonly Times[]): void {
  console.log(`\n${title}`);
  for (const { contender, nanoseconds, ratio } of times) {
    const figures = `${nanoseconds.toFixed(1).padStart(9)} ns ${ratio.toFixed(2).padStart(7)} ×`;
    console.log(`${figures}  ${contender.name}${contender.note === '' ? '' : ` (${contender.note})`}`);
  }
}

function barsOf(
  times: readonly Times[],
  count: number,
  { ten, isSync }: { ten: number; isSync: boolean },
): boolean[] {
  const ours = times.find(({ contender }) => contender.name.startsWith('Latchkey'));
  if (!ours) return [false];
  const rivals = times.filter((one) => one.contender.hasSameSemantics && one !== ours);
  return [
    ...(count === 10 ? [atMost(`ten listeners, times the floor`, ours.ratio, ten)] : []),
    ...(count === 0 && isSync ? [isFree(ours)] : []),
    ...rivals.map((rival) => atMost(`of ${rival.contender.name}`, ours.nanoseconds / rival.nanoseconds, 1)),
  ];
}

function isFree({ nanoseconds, ratio }: Times): boolean {
  const isReached = nanoseconds <= 10 || ratio <= 6;
  console.log(
    `${isReached ? '✓' : '✗'} nobody listens: ${nanoseconds.toFixed(1)} ns, ${ratio.toFixed(1)} × (bar: 10 ns or 6 ×)`,
  );
  return isReached;
}

function atMost(what: string, value: number, bar: number): boolean {
  const isReached = value <= bar;
  console.log(`${isReached ? '✓' : '✗'} ${what}: ${value.toFixed(2)} (bar: at most ${String(bar)})`);
  return isReached;
}

const listenersText = (count: number): string =>
  ({ 0: 'nobody listens', 1: 'one listener' })[count] ?? `${String(count)} listeners`;
