import { Worker } from 'node:worker_threads';

const BEAT_MS = 250;

interface Patience {
  /** CPU time without a turn of the event loop: a machine that is merely slow does not spend it. */
  busyMs: number;
  /** Wall time, for what waits without spending any. */
  stillMs: number;
}

/** Runs beside the event loop: when that stands still, nothing else could end the process. */
const script = `
const { workerData: { beats, busyMs, stillMs, beatMs } } = require('node:worker_threads');
const spent = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000; };
for (let seen = -1, from = 0, since = 0; ;) {
  const now = Atomics.load(beats, 0);
  if (now !== seen) { seen = now; from = spent(); since = performance.now(); }
  else if (spent() - from > busyMs || performance.now() - since > stillMs) process.kill(process.pid, 'SIGKILL');
  Atomics.wait(beats, 0, seen, beatMs * 2);
}`;

/**
 * Ends the process when `work` keeps the event loop from turning, a plugin's endless loop say. The supervisor starts it
 * again, and the boot marker on disk tells the next start which plugin it was.
 */
export async function watched<T>(work: () => Promise<T>, patience: Patience): Promise<T> {
  const beats = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(script, { eval: true, workerData: { beats, beatMs: BEAT_MS, ...patience } });
  const heart = setInterval(() => {
    Atomics.add(beats, 0, 1);
    Atomics.notify(beats, 0);
  }, BEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(heart);
    await worker.terminate();
  }
}
