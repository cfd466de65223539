/** knex tells on the console what it then throws; whoever catches it says it once, and better. */
export const quiet = {
  warn: (): void => undefined,
  error: (): void => undefined,
  debug: (): void => undefined,
  deprecate: (): void => undefined,
};
