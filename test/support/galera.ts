import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import mysql, { type RowDataPacket } from 'mysql2/promise';
import { environmentIn, inFolder, installData, mariadbd, SMALL } from './mariadb.ts';
import { freePort } from './ports.ts';

const PROVIDERS = [
  '/usr/lib/galera/libgalera_smm.so',
  '/usr/lib64/galera-4/libgalera_smm.so',
  '/usr/lib64/galera/libgalera_smm.so',
];
const ACCOUNT = process.getuid?.() === 0 ? 'mysql' : userInfo().username;
const SYNCED_WITHIN_MS = 60_000;

/** Every commit is written before it is acknowledged, so that kill -9 loses none; only the disk itself is not waited for. */
const DURABLE = [
  '--innodb-flush-method=nosync',
  '--innodb-flush-log-at-trx-commit=1',
  '--innodb-doublewrite=OFF',
];

const REPLICATED = ['--binlog-format=ROW', '--innodb-autoinc-lock-mode=2', '--wsrep-slave-threads=2'];

export interface GaleraNode {
  /** `mysql://root@127.0.0.1:<port>`, without a schema. */
  readonly url: string;
  /** As if the power had gone. */
  kill9(): Promise<void>;
  /** SIGSTOP: it keeps its connections and answers nobody. */
  freeze(): void;
  thaw(): void;
  /** Starts it again where it was killed; resolves once it has caught up. */
  rejoin(): Promise<void>;
  /** Resolves once it is part of a cluster of all nodes, and not behind. */
  synced(): Promise<void>;
}

export interface Galera {
  readonly nodes: readonly [GaleraNode, GaleraNode, GaleraNode];
  stop(): Promise<void>;
}

const provider = (): string | null => PROVIDERS.find((file) => existsSync(file)) ?? null;
export const galeraIsInstalled = (): boolean => mariadbd() !== null && provider() !== null;

interface Ports {
  client: number;
  group: number;
  increment: number;
  snapshot: number;
}

/** Three `mariadbd` on loopback that are one database. They start from copies of one folder, so that none has to be sent the data. */
export async function startGalera(): Promise<Galera> {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-galera-'));
  await installData(join(folder, 'blank'));
  const ports: Ports[] = [];
  for (let at = 0; at < 3; at += 1) ports.push(await freePorts());
  const members = `gcomm://${ports.map(({ group }) => `127.0.0.1:${String(group)}`).join(',')}`;
  const [first, second, third] = ports.map(
    (own, at) => new Node(join(folder, `node${String(at + 1)}`), own, members),
  ) as [Node, Node, Node];
  const nodes = [first, second, third] as const;
  for (const node of nodes) await node.copyData(join(folder, 'blank', 'data'));
  // rsync, by which they send each other their data, serves no folder that only root may read.
  if (ACCOUNT !== userInfo().username) await promisify(execFile)('chown', ['-R', `${ACCOUNT}:`, folder]);
  process.once('exit', () => {
    for (const node of nodes) node.end();
  });
  await first.start(['--wsrep-new-cluster']);
  for (const node of [second, third]) await node.start([]);
  await Promise.all(nodes.map((node) => node.synced()));
  return {
    nodes,
    stop: async () => {
      await Promise.all(nodes.map((node) => node.kill9()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

class Node implements GaleraNode {
  readonly url: string;
  readonly #folder: string;
  readonly #ports: Ports;
  readonly #members: string;
  #process: ChildProcess | null = null;

  constructor(folder: string, ports: Ports, members: string) {
    this.#folder = folder;
    this.#ports = ports;
    this.#members = members;
    this.url = `mysql://root@127.0.0.1:${String(ports.client)}`;
  }

  async copyData(from: string): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    await cp(from, join(this.#folder, 'data'), { recursive: true });
  }

  async start(more: readonly string[]): Promise<void> {
    const log = await open(join(this.#folder, 'log'), 'a');
    this.#process = spawn(mariadbd() ?? '', [...this.#options(), ...this.#cluster(), ...more], {
      stdio: ['ignore', log.fd, log.fd],
      env: environmentIn(this.#folder),
    });
    await log.close();
    await this.#until((state) => state.local === '4');
  }

  synced(): Promise<void> {
    return this.#until((state) => state.local === '4' && state.size === '3');
  }

  async rejoin(): Promise<void> {
    // What InnoDB has is told to the others, who then send only what is missing.
    // The others may not have let go of the killed one yet, and then turn it away.
    const tryOnce = async (): Promise<void> =>
      this.start([`--wsrep-start-position=${await this.#position()}`]);
    await tryOnce().catch(tryOnce);
  }

  async kill9(): Promise<void> {
    const gone = this.#process;
    if (gone === null || hasEnded(gone)) return;
    const ended = once(gone, 'exit');
    this.end();
    await ended;
  }

  end(): void {
    this.#process?.kill('SIGKILL');
  }

  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  #options(): string[] {
    return [
      ...inFolder(this.#folder, ACCOUNT),
      ...SMALL,
      ...DURABLE,
      ...REPLICATED,
      '--bind-address=127.0.0.1',
      `--port=${String(this.#ports.client)}`,
      `--socket=${join(this.#folder, 'socket')}`,
    ];
  }

  #cluster(): string[] {
    const { group, increment, snapshot } = this.#ports;
    const options = [
      `gmcast.listen_addr=tcp://127.0.0.1:${String(group)}`,
      `ist.recv_addr=tcp://127.0.0.1:${String(increment)}`,
      'gcache.size=256M',
      'pc.recovery=FALSE',
    ];
    return [
      '--wsrep-on=ON',
      `--wsrep-provider=${provider() ?? ''}`,
      `--wsrep-provider-options=${options.join(';')}`,
      '--wsrep-cluster-name=latchkey-test',
      `--wsrep-cluster-address=${this.#members}`,
      '--wsrep-node-address=127.0.0.1',
      `--wsrep-sst-receive-address=127.0.0.1:${String(snapshot)}`,
      // The servers retry whole transactions themselves.
      '--wsrep-retry-autocommit=0',
      '--wsrep-sst-method=rsync',
    ];
  }

  /** After kill -9 the file that would say so holds -1; InnoDB itself remembers. */
  async #position(): Promise<string> {
    const options = [...this.#options(), ...this.#cluster(), '--wsrep-recover'];
    const { stdout, stderr } = await promisify(execFile)(mariadbd() ?? '', options, {
      env: environmentIn(this.#folder),
    });
    const position = /Recovered position:?\s*(\S+)/i.exec(`${stdout}\n${stderr}`)?.[1];
    if (position === undefined) throw new Error(`No position to rejoin at:\n${stderr.slice(-2_000)}`);
    return position;
  }

  async #until(isSo: (state: { local: string; size: string }) => boolean): Promise<void> {
    const deadline = Date.now() + SYNCED_WITHIN_MS;
    while (Date.now() < deadline && this.#process !== null && !hasEnded(this.#process)) {
      const state = await stateOf(this.url).catch(() => null);
      if (state !== null && isSo(state)) return;
      await sleep(100);
    }
    const log = await readFile(join(this.#folder, 'log'), 'utf8');
    throw new Error(`A node of the cluster did not come up:\n${log.slice(-3_000)}`);
  }
}

async function stateOf(url: string): Promise<{ local: string; size: string }> {
  const connection = await mysql.createConnection({ uri: url, connectTimeout: 2_000 });
  try {
    const [rows] = await connection.query<RowDataPacket[]>(
      "SHOW STATUS WHERE Variable_name IN ('wsrep_local_state', 'wsrep_cluster_size')",
    );
    const values = new Map(rows.map((row) => [String(row['Variable_name']), String(row['Value'])]));
    return {
      local: values.get('wsrep_local_state') ?? '',
      size: values.get('wsrep_cluster_size') ?? '',
    };
  } finally {
    connection.destroy();
  }
}

const freePorts = async (): Promise<Ports> => ({
  client: await freePort(),
  group: await freePort(),
  increment: await freePort(),
  snapshot: await freePort(),
});

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode !== null || signalCode !== null;
