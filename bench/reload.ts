import { developNewPlugin } from '../test/support/plugin-in-the-making.ts';
import type { Ground } from './ground.ts';
import { median } from './report.ts';

const SAVES = 20;
const BAR_MS = 1_000;

/** From a saved file of a plugin to its effect on the page, as its author waits for it; words and code take turns. */
export async function benchReload(ground: Ground): Promise<boolean> {
  const plugin = await developNewPlugin(await ground.folder('plugins'));
  const took: number[] = [];
  try {
    for (let at = 0; at < SAVES; at += 1) {
      took.push(await plugin.save('locales/en.json', 'Leave it', 'Leave it '));
      took.push(await plugin.save('src/board.ts', 'export class Board', 'export  class Board'));
      took.push(await plugin.save('src/board.ts', 'export  class Board', 'export class Board'));
    }
  } finally {
    await plugin.close();
  }
  const slowest = Math.max(...took);
  const isHeld = slowest <= BAR_MS;
  console.log(
    `${isHeld ? '✓' : '✗'} from saved to shown: ${median(took).toFixed(0)} ms at the median, ${slowest.toFixed(0)} ms at the slowest of ${String(took.length)} (bar: ${String(BAR_MS)} ms)`,
  );
  return isHeld;
}
