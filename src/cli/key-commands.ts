import type { KeyStore } from '../crypto/key-store.ts';
import type { TriedColumns } from '../crypto/sealed-columns.ts';
import type { Command } from './command.ts';

interface SecretDoctorDeps {
  onProblem: () => void;
  /** Tries every sealed value; null where the house is locked, and nothing can open. */
  tryValues: (() => Promise<TriedColumns[]>) | null;
}

/** Whether the master at hand opens this database, every key in it and all that they have sealed. Runs where nothing else does. */
export const secretDoctor = (keys: KeyStore, { onProblem, tryValues }: SecretDoctorDeps): Command => ({
  name: 'secret doctor',
  summary:
    'Tries the master key on every key in the database, and those on every sealed value; says which of five things is wrong, and changes nothing',
  run: async ({ options, print }) => {
    const examined = await keys.examine();
    const { lock } = keys;
    const values = lock === null && tryValues ? await tryValues() : [];
    if (lock || examined.some(({ opens }) => !opens) || values.some(({ shut }) => shut.length > 0))
      onProblem();
    const said = { state: lock?.reason ?? 'ok', needs: lock?.needs ?? [], has: lock?.has ?? [] };
    if (options['json'] === true) print({ ...said, keys: examined, values });
    else {
      print(said);
      print(examined);
      if (values.length > 0) print(values.map(({ shut, ...of }) => ({ ...of, shut: shut.join(' ') })));
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
