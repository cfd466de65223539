import type { Latchkey } from '../compose.ts';
import { system } from '../shared/actor.ts';

interface Unloading {
  id: string;
  cycles: number;
  enable: () => Promise<void>;
}

/** Fails with the list of what a plugin leaves behind when it is disabled. */
export async function expectCleanUnload(house: Latchkey, { id, cycles, enable }: Unloading): Promise<void> {
  const disable = async (): Promise<void> => {
    await house.plugins.disable(system, id);
  };
  // Once for what stays loaded by right: modules, compiled templates, connections.
  await disable();
  await enable();
  await disable();
  const before = surroundings();
  for (let cycle = 0; cycle < cycles; cycle += 1) {
    await enable();
    await disable();
  }
  const left = [...leftOf(house, id), ...grownSince(before)];
  if (left.length > 0) throw new Error(`${id} leaves behind: ${left.join(', ')}`);
  await enable();
}

/** What is registered in the house under its name. */
function leftOf({ routes, ground, domains }: Latchkey, id: string): string[] {
  const ownRoutes = routes.all().filter(({ owner }) => owner === id);
  const listening = ground.hooks
    .catalogue()
    .filter(({ listeners }) => listeners.some(({ owner }) => owner === id));
  const rights = domains.rights.all().filter((right) => right.id.startsWith(`${id}.`));
  return [
    ...ownRoutes.map(({ route: { method, path } }) => `the route ${method.toUpperCase()} ${path}`),
    ...listening.map(({ name }) => `a listener of ${name}`),
    ...rights.map((right) => `the right ${right.id}`),
  ];
}

interface Surroundings {
  timers: number;
  processListeners: number;
  globals: number;
}

const surroundings = (): Surroundings => ({
  timers: process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout' || kind === 'Immediate')
    .length,
  processListeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
  globals: Object.keys(globalThis).length,
});

/** What no registry knows of. One more may be somebody else's; one for each cycle is the plugin's. */
function grownSince(before: Surroundings): string[] {
  const after = surroundings();
  const grown = (what: keyof Surroundings): number => after[what] - before[what];
  return [
    ...(grown('timers') > 1 ? [`${String(grown('timers'))} timers (stop them in host.onDispose)`] : []),
    ...(grown('processListeners') > 0
      ? [`${String(grown('processListeners'))} listeners of the process`]
      : []),
    ...(grown('globals') > 0 ? [`${String(grown('globals'))} global variables`] : []),
  ];
}
