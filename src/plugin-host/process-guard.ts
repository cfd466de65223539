/** The ways in which code can end the process it runs in. */
const ways = ['exit', 'reallyExit', 'abort'] as const;

/**
 * Takes them from everybody but the caller, who gets the real way out: a plugin that ends the process would end the helpdesk,
 * and with code 0 the supervisor would not even start it again. `told` hears of each attempt, with the trace of who it was.
 */
export function keepProcess(told: (error: Error) => void): (code: number) => never {
  const real = Object.fromEntries(ways.map((way) => [way, Reflect.get(process, way) as unknown]));
  const { pid } = process;
  const kill = process.kill.bind(process);
  const refuse = (way: string): never => {
    const error = new Error(`process.${way}() was refused: the helpdesk goes on`);
    told(error);
    throw error;
  };
  for (const way of ways) Object.assign(process, { [way]: () => refuse(way) });
  process.kill = (whom, signal) => (whom === pid && signal !== 0 ? refuse('kill') : kill(whom, signal));
  return (code) => {
    Object.assign(process, real);
    return process.exit(code);
  };
}
