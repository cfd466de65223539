import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { binOf } from '../../../plugins/network-hub/src/trust/documents.ts';
import { newSigner } from '../../../plugins/network-hub/src/trust/signer.ts';
import { Distrust, TrustedSet, type Documents } from '../../../src/network/trust/trusted-set.ts';
import { days, hours } from '../../support/clock.ts';
import { SigningHub } from '../../support/signing-hub.ts';

const NOW = Date.parse('2026-03-02T09:00:00Z');
const PATH = 'plugins/tag/1.0.0.tgz';
const target = (content: string) => ({
  path: PATH,
  length: content.length,
  sha256: createHash('sha256').update(content).digest('hex'),
  custom: { id: 'tag', version: '1.0.0', publisher: 'Acme' },
});

interface State {
  documents: Documents;
  versions: Map<string, number>;
}

const firstRootOf = (hub: SigningHub): Documents =>
  new Map([['root', hub.files.get('1.root.json') ?? Buffer.alloc(0)]]);

/** One look of a helpdesk that stood at `before`, and what it holds afterwards. */
async function look(
  hub: SigningHub,
  before: State | null,
  now = NOW,
): Promise<State & { sha256: string | null }> {
  const documents = before?.documents ?? firstRootOf(hub);
  const set = new TrustedSet(documents, now);
  await set.refresh(hub.fetch);
  const stored = (role: string): Promise<Buffer | null> => Promise.resolve(documents.get(role) ?? null);
  const found = await set.find(PATH, { fetch: hub.fetch, stored });
  if (before) set.assertNotBelow(before.versions);
  return {
    documents: new Map([...documents, ...set.documents]),
    versions: set.versions(),
    sha256: found?.sha256 ?? null,
  };
}

function honestHub(content = 'good'): SigningHub {
  const hub = new SigningHub();
  hub.targets = [target(content)];
  return hub.publish(NOW);
}

const GOOD = target('good').sha256;
const BETTER = target('better').sha256;

/** What an attacker who holds the online keys, or only the line, may try after the helpdesk has looked twice. */
const attacks: [
  name: string,
  problem: string,
  attack: (hub: SigningHub, old: ReadonlyMap<string, Buffer>) => void,
][] = [
  [
    'arbitrary installation: a bin signed by a stranger',
    'S02',
    (hub) => {
      Object.assign(hub.online, { catalogue: newSigner() });
      hub.targets = [target('evil')];
      hub.publishBins(NOW);
    },
  ],
  [
    'endless data: a document without end',
    'too long',
    (hub) => {
      hub.files.set('timestamp.json', Buffer.alloc(10_000_000, ' '));
    },
  ],
  [
    'extraneous dependencies: a bin that names what lies in others, past all measure',
    'S05',
    (hub) => {
      const inTheSameBin = Array.from(
        { length: 80_000 },
        (_, at) => `plugins/x${String(at)}/1.0.0.tgz`,
      ).filter((path) => binOf(path) === binOf(PATH));
      hub.targets = inTheSameBin.map((path) => ({ ...target('evil'), path }));
      hub.publishBins(NOW);
    },
  ],
  [
    'fast-forward: a number that leaves no room above it',
    'S04',
    (hub) => {
      hub.versions.timestamp = 2 ** 31;
      hub.signTimestamp(NOW);
    },
  ],
  ['indefinite freeze: the same documents for ever', 'S03', () => undefined],
  [
    'a malicious mirror that serves half of it',
    'S06',
    (hub) => {
      hub.publish(NOW);
      hub.files.delete(`${String(hub.versions.snapshot)}.snapshot.json`);
    },
  ],
  [
    'mix-and-match: a snapshot of one day with the timestamp of another',
    'S02',
    (hub) => {
      hub.publish(NOW);
      const earlier = hub.files.get('1.snapshot.json') ?? Buffer.alloc(0);
      hub.files.set(`${String(hub.versions.snapshot)}.snapshot.json`, earlier);
    },
  ],
  [
    'rollback: all documents of an earlier day',
    'S04',
    (hub, old) => {
      hub.restore(old);
    },
  ],
  [
    'key compromise: one keeper of three',
    'S02',
    (hub) => {
      hub.signRoot(NOW, [hub.keepers[0]]);
    },
  ],
  [
    'wrong software: yesterday’s packages under a new number of the catalogue',
    'S04',
    (hub) => {
      hub.versions.bin -= 1;
      hub.signSnapshot(NOW);
    },
  ],
];

describe('the ten attacks of TUF', () => {
  test.each(attacks)('%s', async (_name, problem, attack) => {
    const hub = honestHub();
    const old = hub.copyFiles();
    const first = await look(hub, null);
    hub.targets = [target('better')];
    hub.publish(NOW);
    const second = await look(hub, first);
    expect([first.sha256, second.sha256]).toEqual([GOOD, BETTER]);
    const catalogue = hub.online.catalogue;
    const good = { files: hub.copyFiles(), versions: { ...hub.versions } };

    attack(hub, old);
    const isFreeze = problem === 'S03';
    const refused = await look(hub, second, isFreeze ? NOW + hours(25) : NOW).catch(
      (error: unknown) => error,
    );

    expect(refused).toBeInstanceOf(Error);
    expect(refused instanceof Distrust ? refused.problem : (refused as Error).message).toBe(problem);
    Object.assign(hub.online, { catalogue });
    hub.restore(good.files);
    hub.versions = { ...good.versions };
    hub.targets = [target('good')];
    hub.publish(NOW);
    expect((await look(hub, second)).sha256).toBe(GOOD);
  });

  test('two keepers replace a lost key, and recover from a number that was driven too far', async () => {
    const hub = honestHub();
    const first = await look(hub, null);
    hub.versions.timestamp = 9_000;
    hub.signTimestamp(NOW);
    const second = await look(hub, first);

    hub.online.timestamp = newSigner();
    hub.versions.timestamp = 1;
    hub.publish(NOW, { root: true });

    const third = await look(hub, second);
    expect(third.versions.get('timestamp')).toBeLessThan(9_000);
  });

  test('find no way in through a document that was torn, and the next walk makes it whole', async () => {
    const hub = honestHub();
    const first = await look(hub, null);
    hub.targets = [target('better')];
    hub.publish(NOW);
    const second = await look(hub, first);
    const tears = (body: Buffer): Buffer[] => [
      ...[0, 1, body.length >> 1, body.length - 1].map((length) => body.subarray(0, length)),
      Buffer.from(body.toString('latin1').replace(/"version":(\d+)/, '"version":9$1'), 'latin1'),
      Buffer.alloc(body.length),
    ];

    for (const [role, body] of second.documents) {
      for (const torn of tears(body)) {
        const documents = new Map([...second.documents, [role, torn]]);
        const offline = () => {
          const set = new TrustedSet(documents, NOW);
          if (set.recall()) throw new Error('is believed');
        };
        if (role === 'root') expect(offline).toThrow(Distrust);
        else if (!role.startsWith('bin-')) expect(offline).not.toThrow();
        // A root is fetched again from the first one on, which its own digest proves.
        const before = role === 'root' ? firstRootOf(hub) : new Map<string, Buffer>();
        const held = { documents: new Map([...documents, ...before]), versions: second.versions };
        expect((await look(hub, held)).sha256, role).toBe(BETTER);
      }
    }
  });

  test('are told from documents that are merely old', async () => {
    const hub = honestHub();
    const seen = await look(hub, null);
    const set = new TrustedSet(seen.documents, NOW);

    expect(set.recall()).toBe(true);
    expect(set.rules().entitlements).toEqual([hub.entitlements.publicKey]);
    expect(new TrustedSet(seen.documents, NOW + days(2)).recall()).toBe(false);
  });
});
