import type { NetworkService, NetworkStatus } from '../network/index.ts';
import type { Command } from './command.ts';

/** The registration at the hub, for whoever sits at the server. */
export const networkCommands = (network: NetworkService): Command[] => [
  {
    name: 'network status',
    summary: 'Says which hub this installation belongs to and what became of its key; asks nobody',
    run: async ({ actor, print }) => {
      print(shown(await network.status(actor)));
    },
  },
  {
    name: 'network set-key',
    summary: 'Reads the registration key from standard input, keeps it sealed and asks the hub about it',
    run: async ({ actor, readStdin, print }) => {
      await network.setKey(actor, await readStdin());
      print(shown(await network.checkNow(actor)));
    },
  },
  {
    name: 'network check',
    summary: 'Asks the hub about the key now',
    run: async ({ actor, print }) => {
      print(shown(await network.checkNow(actor)));
    },
  },
  {
    name: 'network reset-identity',
    summary: 'For a copy: forgets the registration, and is another installation from now on',
    run: async ({ actor, print }) => {
      await network.resetIdentity(actor);
      print(shown(await network.status(actor)));
    },
  },
];

const shown = ({ hub, key, check, uid }: NetworkStatus): object => ({
  hub: hub.url,
  hubLight: hub.light,
  problem: check?.problem ?? null,
  key: key.mark,
  keyLight: key.light,
  keySource: key.isGiven ? 'environment' : 'stored',
  owner: check?.answer?.owner ?? null,
  plan: check?.answer?.subscription?.title ?? null,
  offer: check?.answer?.subscription?.offer ?? null,
  begins: check?.answer?.subscription?.begins ?? null,
  ends: check?.answer?.subscription?.ends ?? null,
  checkedAt: instantOf(check?.checkedAt),
  nextAt: instantOf(check?.nextAt),
  instance: uid,
});

const instantOf = (at: number | null | undefined): string | null =>
  at === null || at === undefined ? null : new Date(at).toISOString();
