/** It may still come to an end, and nobody listens any more. */
export class TooLateError extends Error {
  constructor(milliseconds: number) {
    super(`It did not answer within ${String(milliseconds / 1000)} s`);
    this.name = 'TooLateError';
  }
}

/** What `work` gives, or an error when it takes longer; it may go on unheard. */
export async function inTime<T>(work: () => T | Promise<T>, milliseconds: number): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new TooLateError(milliseconds));
  }, milliseconds);
  try {
    return await Promise.race([work(), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
