/** How many passwords this machine hashes in a second when it does nothing else: as many at once as cores, our parameters. */
import { availableParallelism } from 'node:os';
import { argon2id, hash } from 'argon2';

const count = Number(process.argv[2] ?? 250);
const began = performance.now();
let left = count;
await Promise.all(
  Array.from({ length: availableParallelism() }, async () => {
    while (left > 0) {
      left -= 1;
      await hash(`correct horse ${String(left)}`, {
        type: argon2id,
        memoryCost: 19_456,
        timeCost: 2,
        parallelism: 1,
      });
    }
  }),
);
console.log(JSON.stringify({ perSecond: (count * 1000) / (performance.now() - began) }));
