import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestServer } from '../test/support/server-process.ts';
import type { Ground } from './ground.ts';
import { median } from './report.ts';

const ROUNDS = 5;
const SETTLES_MS = 1_000;

interface Start {
  readyMs: number;
  residentMb: number;
}

/** From nothing to ready, and resident memory, beside a bare Express app; rounds take turns. No bar: the figures are the result. */
export async function benchBoot(ground: Ground): Promise<boolean> {
  const first: Start[] = [];
  const again: Start[] = [];
  const bare: Start[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const dataDir = await ground.folder('data');
    bare.push(await measure(() => ground.start({ script: 'bench/bare/boot.ts' })));
    first.push(await measure(() => ground.start({ dataDir })));
    again.push(await measure(() => ground.start({ dataDir })));
  }
  print('bare Express', bare, bare);
  print('Latchkey, first start (makes and migrates its database)', first, bare);
  print('Latchkey, next start', again, bare);
  return true;
}

async function measure(start: () => Promise<TestServer>): Promise<Start> {
  const began = performance.now();
  const server = await start();
  const readyMs = performance.now() - began;
  await sleep(SETTLES_MS);
  const residentMb = family(server.pid).reduce((sum, pid) => sum + residentKb(pid), 0) / 1024;
  await server.stop();
  return { readyMs, residentMb };
}

function print(what: string, starts: Start[], bare: Start[]): void {
  const [ms, mb] = [
    median(starts.map(({ readyMs }) => readyMs)),
    median(starts.map(({ residentMb }) => residentMb)),
  ];
  const times = ms / median(bare.map(({ readyMs }) => readyMs));
  console.log(`${what}: ready in ${ms.toFixed(0)} ms (${times.toFixed(1)} ×), ${mb.toFixed(0)} MB resident`);
}

/** A process and all that it started. */
function family(pid: number): number[] {
  const children = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((entry) => parentOf(entry) === pid)
    .map(Number);
  return [pid, ...children.flatMap(family)];
}

function parentOf(pid: string): number {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return 0;
  }
}

const residentKb = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1] ?? 0);
