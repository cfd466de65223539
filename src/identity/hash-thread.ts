import { Worker } from 'node:worker_threads';
import { HASHED_AT_ONCE, type HashCost, type Hashing } from './hashing.ts';

export type HashWork =
  { kind: 'hash'; password: string; cost: HashCost } | { kind: 'verify'; hash: string; password: string };

export interface HashJob {
  id: number;
  work: HashWork;
}

export type HashResult = { id: number; answer: string | boolean } | { id: number; problem: string };

/** So much lies ready as is hashed while the longest thing happens here: a class that sends its forms in all at once. */
const LIES_READY = 8;

/**
 * Hands hashing to a thread that begins the next one when one is done, whatever this one is busy with: a commit, three hundred forms
 * at once. Without it a core waits for that after every hash. The thread begins with the first password and keeps nobody alive.
 */
export class HashThread implements Hashing {
  readonly wants = HASHED_AT_ONCE + LIES_READY;
  readonly #asked = new Map<number, PromiseWithResolvers<string | boolean>>();
  #worker: Worker | null = null;
  #last = 0;

  async hash(password: string, cost: HashCost): Promise<string> {
    return (await this.#ask({ kind: 'hash', password, cost })) as string;
  }

  async verify(hash: string, password: string): Promise<boolean> {
    return (await this.#ask({ kind: 'verify', hash, password })) as boolean;
  }

  #ask(work: HashWork): Promise<string | boolean> {
    const worker = this.#running();
    const asked = Promise.withResolvers<string | boolean>();
    this.#last += 1;
    this.#asked.set(this.#last, asked);
    worker.ref();
    worker.postMessage({ id: this.#last, work } satisfies HashJob);
    return asked.promise;
  }

  #running(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(new URL('hash-worker.ts', import.meta.url));
    worker.on('message', (result: HashResult) => {
      this.#take(result);
    });
    worker.on('error', (error) => {
      this.#lose(worker, error);
    });
    worker.on('exit', () => {
      this.#lose(worker, new Error('The hashing thread has ended'));
    });
    this.#worker = worker;
    return worker;
  }

  #take(result: HashResult): void {
    const asked = this.#asked.get(result.id);
    this.#asked.delete(result.id);
    if (this.#asked.size === 0) this.#worker?.unref();
    if ('answer' in result) asked?.resolve(result.answer);
    else asked?.reject(new Error(result.problem));
  }

  /** The next password gets a new thread. */
  #lose(worker: Worker, error: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    for (const { reject } of this.#asked.values()) reject(error);
    this.#asked.clear();
  }
}
