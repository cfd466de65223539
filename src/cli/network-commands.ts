import {
  firstProblem,
  type EntitlementService,
  type NetworkDoctor,
  type NetworkService,
  type NetworkStatus,
  type TrustService,
} from '../network/index.ts';
import type { Command } from './command.ts';

interface Domains {
  network: NetworkService;
  trust: TrustService;
  entitlements: EntitlementService;
  networkDoctor: NetworkDoctor;
}

interface Surroundings {
  onProblem: () => void;
  /** What the page says of a problem, by its id. */
  explain: (problem: string, params: { host: string; locale: string }) => string;
}

/** The registration at the hub, for whoever sits at the server. */
export const networkCommands = (
  { network, trust, entitlements, networkDoctor }: Domains,
  { onProblem, explain }: Surroundings,
): Command[] => [
  {
    name: 'network doctor',
    summary: 'Looks at every layer between here and the hub; exit code 1 if one fails',
    run: async ({ actor, options, print }) => {
      const findings = await networkDoctor.run(actor);
      if (findings.some(({ state }) => state === 'problem')) onProblem();
      if (options['json'] === true) {
        print(findings);
        return;
      }
      print(
        findings.map(({ step, state, problem, because, ms }) => ({
          step,
          state,
          problem: problem ?? (because === null ? '' : `because of ${because}`),
          ms,
        })),
      );
      const first = firstProblem(findings);
      const host = String(findings[0]?.facts['hub'] ?? '');
      if (first?.problem)
        print(`${first.problem}: ${explain(first.problem, { host, locale: actor.locale })}`);
    },
  },
  {
    name: 'network trust',
    summary: 'Who signs for the hub; with a fingerprint, believes them from now on',
    args: '[fingerprint]',
    run: async ({ actor, args: [fingerprint], print }) => {
      await trust.refresh();
      if (fingerprint !== undefined) await trust.confirm(actor, fingerprint.replace(/\s/g, ''));
      await trust.refresh();
      const { rules: _rules, ...status } = await trust.status();
      print(status);
    },
  },
  {
    name: 'network request-file',
    summary: 'For a server without a way out: what to carry to the hub',
    run: async ({ print }) => {
      print(await entitlements.requestFile());
    },
  },
  {
    name: 'network answer-file',
    summary: 'Takes from standard input what the hub has signed',
    run: async ({ readStdin, print }) => {
      const { state, offer, mayInstall } = await entitlements.takeAnswer(await readStdin());
      print({ state, offer, mayInstall });
    },
  },
  {
    name: 'network status',
    summary: 'Says which hub this installation belongs to and what became of its key; asks nobody',
    run: async ({ actor, print }) => {
      print(shown(await network.status(actor)));
    },
  },
  {
    name: 'network set-hub',
    summary: 'Says which hub this installation belongs to; `own` is the hub in this house itself',
    args: '<address>',
    run: async ({ actor, args: [address = ''], print }) => {
      if (address === 'own') await network.setOwnHub(actor);
      else await network.setHub(actor, address);
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
