import { readFileSync, writeFileSync, writeSync } from 'node:fs';
import { Session, type Debugger, type HeapProfiler } from 'node:inspector';
import { parentPort, workerData } from 'node:worker_threads';
import type { Accused, LastWords, Watch } from './watchdog.ts';
import { placeIn, type Frame } from './who-stands-there.ts';

/**
 * Runs beside the event loop. As long as that turns it only counts; when it stands still, or when memory runs out, it asks the
 * debugger where the process is. Nothing is switched on before that, so plugins pay nothing for being watched.
 */
const { pulse, file, lookMs, patience, memory } = workerData as Watch;
const STDERR = 2;
const SAMPLE_BYTES = 65_536;
/** The fields utime and stime, counted from the one after the name; in hundredths of a second. See proc_pid_stat(5). */
const USER_AND_SYSTEM = 11;
const MS_A_TICK = 10;

let accused: readonly Accused[] = [];
let seen = -1;
let busyMs = 0;
let stillMs = 0;
let lookedAt = performance.now();
let spentBefore = spent();
let isAsking = false;
let isSampling = false;
let saidAt = 0;
const scripts = new Map<string, string>();

const session = new Session();
session.connectToMainThread();
session.on('Debugger.scriptParsed', ({ params }) => void scripts.set(params.scriptId, params.url));
session.on('Debugger.paused', ({ params }) => {
  judge(framesOf(params.callFrames));
});
// A session that has never spoken cannot reach a thread that stands still.
session.post('Runtime.getIsolateId', () => parentPort?.postMessage('watching'));
parentPort?.on('message', (names: readonly Accused[]) => {
  accused = names;
});
setInterval(look, lookMs);

function look(): void {
  const now = performance.now();
  const turns = Atomics.load(pulse, 0);
  const isTurning = turns !== seen;
  seen = turns;
  // Time in which this thread was not let run either, as when the machine slept, is nobody's fault.
  stillMs = isTurning ? 0 : stillMs + Math.min(now - lookedAt, 2 * lookMs);
  busyMs = isTurning ? 0 : busyMs + spent() - spentBefore;
  lookedAt = now;
  spentBefore = spent();
  if (isTurning) lookAtMemory();
  else if (busyMs > patience.busyMs && !isAsking) ask();
  else if (stillMs > 2 * lookMs && !isAsking) lookAtGrowth();
  if (stillMs > (isStarting() ? patience.startingMs : patience.aloneMs)) end(null);
}

const isStarting = (): boolean => Atomics.load(pulse, 1) > 0;

/**
 * Processor time of the thread that is watched. The hashing beside it spends whole cores in a rush, while the loop waits for one of
 * them; where the system tells no thread's time apart, it is the whole process's.
 */
function spent(): number {
  try {
    const [, facts = ''] = readFileSync(`/proc/self/task/${String(process.pid)}/stat`, 'latin1').split(') ');
    const [user, system] = facts
      .split(' ')
      .slice(USER_AND_SYSTEM, USER_AND_SYSTEM + 2)
      .map(Number);
    return ((user ?? 0) + (system ?? 0)) * MS_A_TICK;
  } catch {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  }
}

/** The debugger stops at the next statement, wherever that is, and tells the stack. */
function ask(): void {
  isAsking = true;
  session.post('Debugger.enable', () => {
    session.post('Debugger.pause');
  });
}

function judge(frames: readonly Frame[]): void {
  const found = placeIn(frames, accused);
  if (found !== null) {
    end({ ...found, why: isShort(Atomics.load(pulse, 2)) ? 'memory' : 'loop' });
    return;
  }
  say(`The server does not answer; it is in ${frames[0]?.name ?? ''} (${frames[0]?.url ?? ''})`);
  session.post('Debugger.resume');
  session.post('Debugger.disable');
  isAsking = false;
  busyMs = 0;
}

/** It makes something without end and lets nobody else have a turn. */
function lookAtGrowth(): void {
  session.post('Runtime.getHeapUsage', (error, usage: { usedSize?: number } = {}) => {
    if (error !== null || isAsking) return;
    const share = Math.round(((usage.usedSize ?? 0) / memory.limitBytes) * 100);
    Atomics.store(pulse, 2, share);
    if (isShort(share)) ask();
  });
}

const isShort = (share: number): boolean => share >= memory.shortAt;

/** Little by little, between requests: who made what is alive is sampled once it begins to fill the house. */
function lookAtMemory(): void {
  const share = Atomics.load(pulse, 2);
  if (!isSampling && share >= memory.sampleFrom) {
    isSampling = true;
    session.post('HeapProfiler.startSampling', { samplingInterval: SAMPLE_BYTES });
  } else if (isSampling && isShort(share)) {
    session.post('HeapProfiler.getSamplingProfile', (error, answer) => {
      if (error === null) accuseOfMemory(answer.profile.head);
    });
  } else if (isSampling && share < memory.sampleFrom - 10) {
    isSampling = false;
    session.post('HeapProfiler.stopSampling');
  }
}

function accuseOfMemory(head: HeapProfiler.SamplingHeapProfileNode): void {
  const held = new Map<string, { bytes: number; words: LastWords }>();
  let all = 0;
  const walk = (node: HeapProfiler.SamplingHeapProfileNode, above: readonly Frame[]): void => {
    const { functionName: name, url, lineNumber } = node.callFrame;
    const frames = [{ name, url, line: lineNumber + 1 }, ...above];
    all += node.selfSize;
    const found = node.selfSize > 0 ? placeIn(frames, accused) : null;
    if (found !== null) {
      const before = held.get(found.plugin)?.bytes ?? 0;
      held.set(found.plugin, { bytes: before + node.selfSize, words: { ...found, why: 'memory' } });
    }
    for (const child of node.children) walk(child, frames);
  };
  walk(head, []);
  const [most] = [...held.values()].sort((one, other) => other.bytes - one.bytes);
  if (most !== undefined && most.bytes > all / 2) end(most.words);
}

/** Whoever starts the process again reads here who it was. */
function end(words: LastWords | null): void {
  if (words !== null) {
    writeFileSync(file, JSON.stringify(words));
    say(
      `The plugin ${words.plugin} ${words.why === 'loop' ? 'gives nobody else a turn' : 'takes all memory'}, at ${words.place}; the server is ended`,
    );
  }
  process.kill(process.pid, 'SIGKILL');
}

function say(words: string): void {
  const now = performance.now();
  if (now - saidAt < 10_000 && saidAt > 0) return;
  saidAt = now;
  writeSync(STDERR, `${words}\n`);
}

const framesOf = (callFrames: readonly Debugger.CallFrame[]): Frame[] =>
  callFrames.map(({ functionName: name, url, location }) => ({
    name,
    url: scripts.get(location.scriptId) ?? url,
    line: location.lineNumber + 1,
  }));
