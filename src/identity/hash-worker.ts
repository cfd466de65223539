/** The other side of `HashThread`. */
import { parentPort, type MessagePort } from 'node:worker_threads';
import type { HashJob, HashResult, HashWork } from './hash-thread.ts';
import { HASHED_AT_ONCE, hashing } from './hashing.ts';

const port = parentPort as MessagePort;
const waiting: HashJob[] = [];
let running = 0;

port.on('message', (job: HashJob) => {
  waiting.push(job);
  beginNext();
});

function beginNext(): void {
  if (running >= HASHED_AT_ONCE) return;
  const job = waiting.shift();
  if (!job) return;
  running += 1;
  void resultOf(job).then((result) => {
    running -= 1;
    beginNext();
    port.postMessage(result);
  });
}

async function resultOf({ id, work }: HashJob): Promise<HashResult> {
  try {
    return { id, answer: await answerTo(work) };
  } catch (error) {
    return { id, problem: error instanceof Error ? error.message : String(error) };
  }
}

const answerTo = (work: HashWork): Promise<string | boolean> =>
  work.kind === 'hash' ? hashing.hash(work.password, work.cost) : hashing.verify(work.hash, work.password);
