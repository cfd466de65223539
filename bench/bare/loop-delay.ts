/** Loaded before the server: says every second how long its event loop stood still, and how long it computed without a pause. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

const BEAT_MS = 2;

if (process.argv[1]?.endsWith('server.ts')) {
  const delay = monitorEventLoopDelay({ resolution: BEAT_MS });
  delay.enable();
  let longestMs = 0;
  let before = process.threadCpuUsage();
  setInterval(() => {
    const { user, system } = process.threadCpuUsage(before);
    before = process.threadCpuUsage();
    longestMs = Math.max(longestMs, (user + system) / 1000);
  }, BEAT_MS).unref();
  setInterval(() => {
    console.log(`loop stood still ${(delay.max / 1e6).toFixed(1)} ms, computed ${longestMs.toFixed(1)} ms`);
    delay.reset();
    longestMs = 0;
  }, 1000).unref();
}
