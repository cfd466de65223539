/** What `work` gives, or an error when it takes longer; it may go on unheard. */
export async function inTime<T>(work: () => T | Promise<T>, milliseconds: number): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new Error(`It did not answer within ${String(milliseconds / 1000)} s`));
  }, milliseconds);
  try {
    return await Promise.race([work(), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
