import { onTestFinished } from 'vitest';

type Task = () => Promise<void> | void;

const leftovers: Task[] = [];

/** Undoes what a helper started: when the test ends, or, for what `beforeAll` started, when the file does. */
export function afterwards(task: Task): void {
  try {
    onTestFinished(task);
  } catch {
    leftovers.push(task);
  }
}

/** For what all tests of a file share. */
export function afterFile(task: Task): void {
  leftovers.unshift(task);
}

/** Last started, first stopped. */
export async function cleanUpLeftovers(): Promise<void> {
  for (let task = leftovers.pop(); task; task = leftovers.pop()) await task();
}
