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
const SYNCED = '4';

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
  /** Starts it again where it was killed, once the others have let go of it; resolves once it has caught up. */
  rejoin(): Promise<void>;
}

export interface Galera {
  readonly nodes: readonly [GaleraNode, GaleraNode, GaleraNode];
  /** Resolves once all nodes are one cluster again, and none is behind. */
  synced(): Promise<void>;
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
  for (const node of nodes) node.others = nodes.filter((other) => other !== node);
  await allSynced(nodes);
  return {
    nodes,
    synced: () => allSynced(nodes),
    stop: async () => {
      await Promise.all(nodes.map((node) => node.kill9()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A node that has just been thawed still believes what it knew before, so all have to say the same, and speak to each other. */
async function allSynced(nodes: readonly Node[]): Promise<void> {
  const deadline = Date.now() + SYNCED_WITHIN_MS;
  while (Date.now() < deadline) {
    const states = await Promise.all(nodes.map((node) => node.state()));
    const views = new Set(states.map((state) => state?.view));
    const agree = views.size === 1 && states.every((state) => state?.local === SYNCED && state.size === '3');
    if (agree && (await Promise.all(nodes.map((node) => node.hearsTheOthers()))).every(Boolean)) return;
    await sleep(100);
  }
  throw new Error(`The nodes are not one cluster again:\n${(await nodes[0]?.log()) ?? ''}`);
}

class Node implements GaleraNode {
  readonly url: string;
  others: readonly Node[] = [];
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
    await this.#until((state) => state.local === SYNCED);
  }

  async rejoin(): Promise<void> {
    for (const other of this.others) await other.#until((state) => state.size === '2');
    // What InnoDB has is told to the others, who then send only what is missing.
    await this.start([`--wsrep-start-position=${await this.#position()}`]);
  }

  state(): Promise<NodeState | null> {
    return stateOf(this.url).catch(() => null);
  }

  /** A causal read waits until all that the others had sent has arrived here. */
  async hearsTheOthers(): Promise<boolean> {
    const connection = await mysql.createConnection({ uri: this.url, connectTimeout: 2_000 });
    try {
      await connection.query('SET SESSION wsrep_sync_wait = 1');
      await connection.query('SELECT COUNT(*) FROM mysql.wsrep_cluster_members');
      return true;
    } catch {
      return false;
    } finally {
      connection.destroy();
    }
  }

  async log(): Promise<string> {
    return (await readFile(join(this.#folder, 'log'), 'utf8')).slice(-3_000);
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

  /**
   * After kill -9 the file that would say so holds -1; InnoDB itself remembers. Having said so, mariadbd 10.11 now and then dies of a
   * signal of its own on its way out: what it said counts all the same.
   */
  async #position(): Promise<string> {
    const options = [...this.#options(), ...this.#cluster(), '--wsrep-recover'];
    const asked = promisify(execFile)(mariadbd() ?? '', options, { env: environmentIn(this.#folder) });
    const { stdout, stderr } = await asked.catch((error: unknown) => error as Said);
    const position = /Recovered position:?\s*(\S+)/i.exec(`${stdout}\n${stderr}`)?.[1];
    if (position === undefined) throw new Error(`No position to rejoin at:\n${stderr.slice(-2_000)}`);
    return position;
  }

  async #until(isSo: (state: NodeState) => boolean): Promise<void> {
    const deadline = Date.now() + SYNCED_WITHIN_MS;
    while (Date.now() < deadline && this.#process !== null && !hasEnded(this.#process)) {
      const state = await this.state();
      if (state !== null && isSo(state)) return;
      await sleep(100);
    }
    throw new Error(`A node of the cluster did not come so far:\n${await this.log()}`);
  }
}

interface Said {
  stdout: string;
  stderr: string;
}

interface NodeState {
  local: string;
  size: string;
  /** Changes with every node that comes or goes, the same on all of them. */
  view: string;
}

async function stateOf(url: string): Promise<NodeState> {
  const connection = await mysql.createConnection({ uri: url, connectTimeout: 2_000 });
  try {
    const [rows] = await connection.query<RowDataPacket[]>(
      "SHOW STATUS WHERE Variable_name IN ('wsrep_local_state', 'wsrep_cluster_size', 'wsrep_cluster_conf_id')",
    );
    const values = new Map(rows.map((row) => [String(row['Variable_name']), String(row['Value'])]));
    return {
      local: values.get('wsrep_local_state') ?? '',
      size: values.get('wsrep_cluster_size') ?? '',
      view: values.get('wsrep_cluster_conf_id') ?? '',
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
