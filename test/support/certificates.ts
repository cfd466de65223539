import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterwards } from './cleanup.ts';

export interface Certificate {
  key: string;
  cert: string;
}

const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
const CONFIG = `[ca]
default_ca = own
[own]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = supplied
`;

/** A certificate that nobody but itself has signed. */
export const selfSigned = (name: string): Certificate =>
  inFolder((folder) => request(folder, name, ['-x509']));

/** Signs certificates, also such as no honest one would. Nobody trusts it before `trusted` is called. */
export class Authority {
  readonly #own: Certificate;

  constructor(name: string) {
    this.#own = inFolder((folder) =>
      request(folder, name, ['-x509', '-addext', 'keyUsage=critical,keyCertSign']),
    );
  }

  sign(name: string, { from = '20200101000000Z', to = '20991231000000Z' } = {}): Certificate {
    return inFolder((folder) => {
      const { key } = request(folder, name, []);
      writeFileSync(join(folder, 'ca.cnf'), CONFIG);
      writeFileSync(join(folder, 'index.txt'), '');
      writeFileSync(join(folder, 'ca.key'), this.#own.key, { mode: 0o600 });
      writeFileSync(join(folder, 'ca.crt'), this.#own.cert);
      const files = ['-keyfile', 'ca.key', '-cert', 'ca.crt', '-in', 'cert', '-out', 'signed'];
      const dates = ['-startdate', from, '-enddate', to];
      openssl(folder, ['ca', '-batch', '-notext', '-config', 'ca.cnf', ...files, ...dates]);
      return { key, cert: readFileSync(join(folder, 'signed'), 'utf8') };
    });
  }

  /** This process takes it for an authority until the end of the test. */
  trusted(): this {
    const before = getCACertificates('default');
    setDefaultCACertificates([...before, this.#own.cert]);
    afterwards(() => {
      setDefaultCACertificates(before);
    });
    return this;
  }
}

function request(folder: string, name: string, more: readonly string[]): Certificate {
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
  const lasting = more.includes('-x509') ? ['-days', '2'] : [];
  openssl(folder, [
    'req',
    '-new',
    ...CURVE,
    '-keyout',
    'key',
    '-out',
    'cert',
    ...subject,
    ...lasting,
    ...more,
  ]);
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
  return { key: read('key'), cert: read('cert') };
}

const openssl = (cwd: string, args: readonly string[]): void => {
  execFileSync('openssl', args, { cwd, stdio: 'ignore' });
};

function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-tls-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
