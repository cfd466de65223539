import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import {
  binDocument,
  binOf,
  bodyOf,
  rootDocument,
  signed,
  snapshotDocument,
  targetsDocument,
  timestampDocument,
  type Kind,
  type Rules,
  type Target,
} from '../../plugins/network-hub/src/trust/documents.ts';
import { newSigner, type Signer } from '../../plugins/network-hub/src/trust/signer.ts';
import { afterwards } from './cleanup.ts';

type Document = ReturnType<typeof rootDocument>;

/** A hub's keys and documents in memory, for whoever wants to sign what no honest hub would. */
export class SigningHub {
  readonly keepers = [newSigner(), newSigner(), newSigner()] as const;
  readonly online = { snapshot: newSigner(), timestamp: newSigner(), catalogue: newSigner() };
  readonly entitlements = newSigner();
  readonly files = new Map<string, Buffer>();
  readonly asked: string[] = [];
  rules: Rules = { publishers: {}, entitlements: [this.entitlements.publicKey], withdrawn: [] };
  targets: Target[] = [];
  versions = { root: 0, targets: 0, bin: 0, snapshot: 0, timestamp: 0 };

  /** Signs everything anew, with numbers one higher. */
  publish(now: number, { root = this.versions.root === 0 }: { root?: boolean } = {}): this {
    if (root) this.signRoot(now);
    this.versions.targets += 1;
    const targets = targetsDocument(
      { catalogue: this.online.catalogue.publicKey, rules: this.rules },
      { version: this.versions.targets, now },
    );
    this.put('targets', 'targets', targets, this.keepers.slice(0, 2));
    this.publishBins(now);
    return this;
  }

  publishBins(now: number): void {
    this.versions.bin += 1;
    for (const bin of new Set(this.targets.map(({ path }) => binOf(path)))) {
      const named = this.targets.filter(({ path }) => binOf(path) === bin);
      this.put(bin, 'targets', binDocument(named, { version: this.versions.bin, now }), [
        this.online.catalogue,
      ]);
    }
    this.signSnapshot(now);
  }

  signRoot(now: number, signers: readonly Signer[] = this.keepers.slice(0, 2)): void {
    this.versions.root += 1;
    const keepers = {
      ceremony: this.keepers.map(({ publicKey }) => publicKey),
      snapshot: this.online.snapshot.publicKey,
      timestamp: this.online.timestamp.publicKey,
    };
    this.put('root', 'root', rootDocument(keepers, { version: this.versions.root, now }), signers);
  }

  signSnapshot(now: number): void {
    this.versions.snapshot += 1;
    const bins = new Set(this.targets.map(({ path }) => binOf(path)));
    const versions = new Map([
      ['targets', this.versions.targets],
      ...[...bins].map((bin) => [bin, this.versions.bin] as const),
    ]);
    const { snapshot: version } = this.versions;
    this.put('snapshot', 'snapshot', snapshotDocument(versions, { version, now }), [this.online.snapshot]);
    this.signTimestamp(now);
  }

  signTimestamp(now: number): void {
    this.versions.timestamp += 1;
    const snapshot = this.versions.snapshot;
    const body = this.files.get(`${String(snapshot)}.snapshot.json`) ?? Buffer.alloc(0);
    const document = timestampDocument(
      { version: snapshot, body },
      { version: this.versions.timestamp, now },
    );
    this.put('timestamp', 'timestamp', document, [this.online.timestamp]);
  }

  put(role: string, kind: Kind, document: Document, signers: readonly Signer[]): void {
    const body = bodyOf(signed(kind, document, signers));
    const { version } = (document as unknown as { signed: { version: number } }).signed;
    this.files.set(role === 'timestamp' ? 'timestamp.json' : `${String(version)}.${role}.json`, body);
  }

  readonly fetch = (name: string, most: number): Promise<Buffer | null> => {
    this.asked.push(name);
    const body = this.files.get(name);
    if (body && body.length > most) return Promise.reject(new Error('too long'));
    return Promise.resolve(body ?? null);
  };

  copyFiles(): Map<string, Buffer> {
    return new Map(this.files);
  }

  restore(files: ReadonlyMap<string, Buffer>): void {
    this.files.clear();
    for (const [name, body] of files) this.files.set(name, body);
  }

  /** Over HTTP, at the paths of a hub. */
  async listen(): Promise<string> {
    const server = createServer((req, res) => {
      const name = /^\/api\/network\/v1\/trust\/([^/?]+)$/.exec(req.url ?? '')?.[1] ?? '';
      const body = this.files.get(name);
      this.asked.push(name);
      res.writeHead(body ? 200 : 404, { 'content-type': 'application/json' }).end(body ?? '{}');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    afterwards(() => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  }
}
