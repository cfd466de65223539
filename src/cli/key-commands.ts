import type { KeyStore } from '../crypto/key-store.ts';
import type { Command } from './command.ts';

/** The keys of the house: what digests and seals secrets in the database. */
export const keyCommands = ({ keys }: { keys: KeyStore }): Command[] => [
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
