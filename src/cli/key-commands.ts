import type { KeyStore } from '../crypto/key-store.ts';
import type { Command } from './command.ts';

/** Whether the master at hand opens this database, and every key in it. Runs where nothing else does: it needs no open house. */
export const secretDoctor = (keys: KeyStore, { onProblem }: { onProblem: () => void }): Command => ({
  name: 'secret doctor',
  summary:
    'Tries the master key on every key in the database and says which of five things is wrong; changes nothing',
  run: async ({ options, print }) => {
    const examined = await keys.examine();
    const { lock } = keys;
    if (lock || examined.some(({ opens }) => !opens)) onProblem();
    const said = { state: lock?.reason ?? 'ok', needs: lock?.needs ?? [], has: lock?.has ?? [] };
    if (options['json'] === true) print({ ...said, keys: examined });
    else {
      print(said);
      print(examined);
    }
  },
});

/** The keys of the house: what digests and seals secrets in the database. */
export const keyCommands = ({ keys }: { keys: KeyStore }): Command[] => [
  {
    name: 'secret rotate',
    summary:
      'A new master key, in the key file; killed in the middle, it goes on where it stood when it is run again',
    run: async ({ print }) => {
      print(await keys.rotate());
    },
  },
  {
    name: 'keys rotate',
    summary:
      'New keys for everything that is digested or sealed from now on, wrapped under the first master; what exists moves over in the background',
    run: async ({ print }) => {
      const renewed = await keys.renewAll();
      print({ renewed, rewrapped: await keys.rewrap() });
    },
  },
];
