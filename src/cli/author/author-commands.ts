import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { newKeyPair, sha256Of, signPackage, verifyPackage } from '../../network/index.ts';
import { packPlugin } from '../../plugin-host/index.ts';
import { ConflictError, InvalidInputError } from '../../shared/errors.ts';
import type { Command } from '../command.ts';
import { checkPlugin, type Surface } from './check-plugin.ts';
import { linkLatchkey } from './link-latchkey.ts';
import { newPlugin, pluginTemplates, type PluginTemplate } from './new-plugin.ts';
import { signCeremony } from './sign-ceremony.ts';
import { publishPackage } from './publish-package.ts';
import { testPlugin } from './test-plugin.ts';

interface Deps {
  /** Where the texts of a new plugin lie. */
  templates: string;
  surface: () => Promise<Surface>;
  /** Runs a helpdesk that follows the folder, until the process ends. */
  develop: (wanted: { folder: string; port: number; say: (line: string) => void }) => Promise<never>;
  /** The command did what it was asked, and what it found is not good. */
  onProblem: () => void;
}

/** For those who write plugins. They need no database and run no server. */
export function authorCommands({ templates, surface, develop, onProblem }: Deps): Command[] {
  return [
    {
      name: 'plugin new',
      summary:
        'Writes a plugin that runs: a page, a table, a right, a setting, a job, a hook, words and tests',
      args: '<id>',
      options: [
        { flags: '--dir <folder>', description: 'where its folder is made', default: '.' },
        {
          flags: '--template <name>',
          description:
            'full; minimal: a page and nothing else; ticket: a veto, a setting and a place beside a ticket',
          default: 'full',
        },
      ],
      run: async ({ args: [id = ''], options, print }) => {
        const place = resolve(String(options['dir']));
        const { version } = await surface();
        const template = templateNamed(String(options['template']));
        const written = await newPlugin({ id, template, place, templates, version });
        const folder = join(place, id);
        const next = `cd ${relative('.', folder)} && npx latchkey plugin dev .`;
        print({ folder, template, files: written.length, next });
      },
    },
    {
      name: 'plugin check',
      summary: 'Says what is wrong with a plugin, by file and line, without running it',
      args: '<folder>',
      run: async ({ args: [folder = ''], options, print }) => {
        const problems = await checkPlugin(resolve(folder), await surface());
        if (problems.length > 0) onProblem();
        if (options['json'] === true) print({ ok: problems.length === 0, problems });
        else print(problems.length === 0 ? 'Nothing to say against it.' : problems.map(lineOf).join('\n'));
      },
    },
    {
      name: 'plugin test',
      summary: 'Runs the tests of a plugin, each in a helpdesk of its own',
      args: '<folder>',
      options: [
        {
          flags: '--torture',
          description:
            'what no author thinks of: on and off, faults, a slow database, two servers, an update and back',
        },
        { flags: '--cycles <number>', description: 'with --torture: how often on and off', default: '50' },
      ],
      run: async ({ args: [folder = ''], options }) => {
        const torture = options['torture'] === true ? { torture: Number(options['cycles']) } : {};
        await linkLatchkey(resolve(folder));
        if ((await testPlugin(resolve(folder), torture)) !== 0) onProblem();
      },
    },
    {
      name: 'plugin dev',
      summary: 'Runs a helpdesk on this machine that follows what you save in the folder of a plugin',
      args: '<folder>',
      options: [{ flags: '--port <number>', description: 'where it listens', default: '3100' }],
      run: async ({ args: [folder = ''], options, print }) => {
        await linkLatchkey(resolve(folder));
        await develop({ folder: resolve(folder), port: Number(options['port']), say: print });
      },
    },
    {
      name: 'plugin pack',
      summary: 'Packs a plugin into one file; the same files make the same bytes',
      args: '<folder>',
      options: [{ flags: '--output <file>', description: '<id>-<version>.tgz here unless said' }],
      run: async ({ args: [folder = ''], options, print }) => {
        const { id, version, bytes, files } = await packPlugin(resolve(folder));
        const file = resolve(
          typeof options['output'] === 'string' ? options['output'] : `${id}-${version}.tgz`,
        );
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, bytes);
        const remarks = (await checkPlugin(resolve(folder), await surface())).map(lineOf);
        if (remarks.length > 0) onProblem();
        const packed = {
          file,
          id,
          version,
          files: files.length,
          size: bytes.length,
          sha256: sha256Of(bytes),
        };
        print(remarks.length > 0 ? { ...packed, remarks } : packed);
      },
    },
    {
      name: 'plugin keygen',
      summary: 'Makes a key to sign packages with, and beside it the public one for those who verify',
      args: '<file>',
      run: async ({ args: [file = ''], print }) => {
        const { privateKey, publicKey } = newKeyPair();
        await writeNew(file, privateKey, 0o600);
        await writeNew(`${file}.pub`, publicKey, 0o644);
        print({ key: file, public: `${file}.pub` });
      },
    },
    {
      name: 'plugin sign',
      summary: 'Signs a package; the signature is written beside it',
      args: '<package>',
      options: [{ flags: '--key <file>', description: 'the key, as `plugin keygen` made it' }],
      run: async ({ args: [file = ''], options, print, readFile }) => {
        const [packed, key] = await Promise.all([readFile(file), readFile(String(options['key'] ?? ''))]);
        const { text, ...signed } = await signPackage(packed, key.toString('utf8'));
        await writeFile(`${file}.sig`, text);
        print({ ...signed, signature: `${file}.sig` });
      },
    },
    {
      name: 'plugin publish',
      summary:
        'Publishes a package on a hub; reads the token (scope network-hub:publish) from standard input',
      args: '<package>',
      options: [
        { flags: '--hub <url>', description: 'where the hub is reached' },
        { flags: '--channel <name>', description: 'stable or beta', default: 'stable' },
        {
          flags: '--offer <reference>',
          description: 'the least offer that has it; as it was, or free, unless said',
        },
        { flags: '--tags <list>', description: 'separated by commas' },
        { flags: '--trial-days <number>', description: 'how long it may be tried without that offer' },
        {
          flags: '--sig <file>',
          description: 'what `plugin sign` wrote; <package>.sig unless said, if it is there',
        },
      ],
      run: async ({ args: [file = ''], options, readStdin, readFile: bytesOf, print }) => {
        const { hub, channel, offer, tags, trialDays, sig } = options;
        const signature = await signatureFor(file, { sig, readFile: bytesOf });
        const facts = Object.entries({ channel, offer, tags, trialDays, signature }).flatMap(
          ([name, value]) => (typeof value === 'string' ? [[name, value]] : []),
        );
        const token = (await readStdin()).trim();
        print(
          await publishPackage({
            hub: String(hub ?? '').replace(/\/+$/, ''),
            token,
            file,
            bytes: await bytesOf(file),
            facts: Object.fromEntries(facts) as Record<string, string>,
          }),
        );
      },
    },
    {
      name: 'plugin verify',
      summary: 'Whether a package is whole and signed with this key',
      args: '<package>',
      options: [{ flags: '--key <file>', description: 'the public key of its publisher' }],
      run: async ({ args: [file = ''], options, print, readFile }) => {
        const [packed, signature, key] = await Promise.all([
          readFile(file),
          readFile(`${file}.sig`),
          readFile(String(options['key'] ?? '')),
        ]);
        const texts = { signature: signature.toString('utf8'), publicKey: key.toString('utf8') };
        print({ ...(await verifyPackage(packed, texts)), verified: true });
      },
    },
    {
      name: 'ceremony sign',
      summary: 'Signs what `latchkey hub trust begin` printed, as one of the three keepers; needs no network',
      args: '<file>',
      options: [{ flags: '--key <file>', description: 'the key, as `plugin keygen` made it' }],
      run: async ({ args: [file = ''], options, readFile: readNamed, print }) => {
        const [text, key] = await Promise.all([readNamed(file), readNamed(String(options['key'] ?? ''))]);
        const { text: signed, ...facts } = signCeremony(text.toString('utf8'), key.toString('utf8'));
        await writeFile(file, signed);
        print({ file, ...facts });
      },
    },
  ];
}

/** One that was named must be there; the one beside the package need not be. */
async function signatureFor(
  file: string,
  { sig, readFile }: { sig: unknown; readFile: (path: string) => Promise<Buffer> },
): Promise<string | undefined> {
  if (typeof sig === 'string') return (await readFile(sig)).toString('utf8');
  return readFile(`${file}.sig`).then(
    (text) => text.toString('utf8'),
    () => undefined,
  );
}

function templateNamed(said: string): PluginTemplate {
  const template = pluginTemplates.find((known) => known === said);
  if (template === undefined)
    throw new InvalidInputError('author.template', { params: { said, known: pluginTemplates.join(', ') } });
  return template;
}

const lineOf = ({ file, line, message }: { file: string; line: number | null; message: string }): string =>
  `${file}${line === null ? '' : `:${String(line)}`}  ${message}`;

async function writeNew(file: string, text: string, mode: number): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx', mode });
    await chmod(file, mode);
  } catch (cause) {
    throw new ConflictError('author.file-taken', { params: { file }, cause });
  }
}
