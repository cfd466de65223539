import { gzipSync } from 'node:zlib';

const BLOCK = 512;
const END = Buffer.alloc(2 * BLOCK);

interface Entry {
  name: string | Buffer;
  content?: Buffer | string;
  /** The type flag: `0` a file, `1` a hard link, `2` a symbolic one, `3` and `4` devices, `5` a folder, `6` a pipe. */
  type?: string;
  linkname?: string;
  /** What the header says of the size; the truth unless said. */
  size?: number | Buffer;
  checksum?: string;
}

/** One entry as the bytes of a tar, honest or not. */
export function entryOf({ name, content = '', type = '0', linkname = '', size, checksum }: Entry): Buffer {
  const body = Buffer.from(content);
  const header = Buffer.alloc(BLOCK);
  Buffer.from(name).copy(header, 0, 0, 100);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  const said = size ?? body.length;
  if (typeof said === 'number') header.write(`${said.toString(8).padStart(11, '0')}\0`, 124);
  else said.copy(header, 124);
  header.write('00000000000\0', 136);
  header.write(type, 156);
  header.write(linkname, 157);
  header.write('ustar\x0000', 257);
  sealHeader(header, checksum);
  const padding = Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK);
  return Buffer.concat([header, body, padding]);
}

/** Writes the sum that a reader compares. */
export function sealHeader(header: Buffer, checksum?: string): void {
  header.fill(' ', 148, 156);
  const sum = header.subarray(0, BLOCK).reduce((total, byte) => total + byte, 0);
  header.write(checksum ?? `${sum.toString(8).padStart(6, '0')}\0 `, 148);
}

/** A record of an extended header, which wins over the plain one. */
export const paxOf = (key: string, value: string): Buffer => {
  const rest = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(rest) + 1;
  while (String(length).length + Buffer.byteLength(rest) !== length) length += 1;
  return entryOf({ name: 'PaxHeader', type: 'x', content: `${String(length)}${rest}` });
};

const honest = [
  entryOf({ name: 'plugin.json', content: '{"id":"parcel"}' }),
  entryOf({ name: 'src/index.ts', content: 'export default 1;\n' }),
];
export const honestTar = Buffer.concat([...honest, END]);
export const honestPackage = gzipSync(honestTar);

const archive = (...more: Buffer[]): Buffer => gzipSync(Buffer.concat([...honest, ...more, END]));
const naming = (name: string | Buffer): Buffer => archive(entryOf({ name, content: 'x' }));
const many = (count: number): Buffer[] =>
  Array.from({ length: count }, (_, at) => entryOf({ name: `f${String(at)}` }));

/** Every shape that has ever unpacked somewhere it should not have, or more than it should. */
export const hostileArchives: Readonly<Record<string, () => Buffer>> = {
  'a way out of the folder': () => naming('../out.txt'),
  'a way out of the folder from inside': () => naming('src/../../out.txt'),
  'a way out in the words of Windows': () => naming('..\\out.txt'),
  'an absolute path': () => naming('/tmp/latchkey-out.txt'),
  'an absolute path with a drive': () => naming('C:/out.txt'),
  'an empty name': () => naming(''),
  'a name that is a dot': () => naming('./'),
  'a hidden file': () => naming('.npmrc'),
  'a name that goes on behind a NUL byte': () =>
    archive(paxOf('path', 'safe.txt\0/../../out.txt'), entryOf({ name: 'safe.txt', content: 'x' })),
  'a line break in a name': () => naming('a\nb.txt'),
  'a name written from right to left': () => naming('gnp\u202e.ts'),
  'a letter that looks like another': () => naming('рlugin.json'),
  'a name composed in two ways': () =>
    archive(entryOf({ name: 'caf\u00e9', content: 'x' }), entryOf({ name: 'cafe\u0301', content: 'y' })),
  'bytes that are no text in a name': () => naming(Buffer.from([0x61, 0xff, 0xfe, 0x62])),
  'a device of Windows': () => naming('src/con.txt'),
  'a name that ends in a dot': () => naming('plugin.json.'),
  'a name that ends in a space': () => naming('plugin.json '),
  'a name that is too long': () =>
    archive(paxOf('path', 'a'.repeat(300)), entryOf({ name: 'a', content: 'x' })),
  'the same name twice': () => naming('plugin.json'),
  'names that meet without case': () => naming('Plugin.JSON'),
  'a file where a folder is': () => naming('src'),
  'a file below a file': () => naming('plugin.json/more'),
  'a symbolic link': () => archive(entryOf({ name: 'link', type: '2', linkname: '/etc/passwd' })),
  'a symbolic link, and a file behind it': () =>
    archive(
      entryOf({ name: 'dir', type: '2', linkname: '/tmp' }),
      entryOf({ name: 'dir/out.txt', content: 'x' }),
    ),
  'a hard link': () => archive(entryOf({ name: 'link', type: '1', linkname: 'plugin.json' })),
  'a device for characters': () => archive(entryOf({ name: 'device', type: '3' })),
  'a device for blocks': () => archive(entryOf({ name: 'device', type: '4' })),
  'a pipe': () => archive(entryOf({ name: 'pipe', type: '6' })),
  'a kind of entry that there is not': () => archive(entryOf({ name: 'odd', type: 'Z' })),
  'a path that an extended header puts in place of a good one': () =>
    archive(paxOf('path', '../out.txt'), entryOf({ name: 'good.txt', content: 'x' })),
  'a path in a long name of GNU': () =>
    archive(
      entryOf({ name: '././@LongLink', type: 'L', content: `${'../'.repeat(40)}out.txt\0` }),
      entryOf({ name: 'good.txt', content: 'x' }),
    ),
  'a bomb': () => archive(entryOf({ name: 'bomb', content: Buffer.alloc(129 * 1024 * 1024) })),
  'a bomb in a header': () =>
    archive(entryOf({ name: 'PaxHeader', type: 'x', content: Buffer.alloc(150 * 1024 * 1024) })),
  'more files than anybody needs': () => archive(...many(5_000)),
  'a size that is not there': () => archive(entryOf({ name: 'big', content: 'x', size: 8 ** 10 })),
  'a size below zero': () => archive(entryOf({ name: 'odd', content: 'x', size: Buffer.alloc(12, 0xff) })),
  'a header whose sum is wrong': () => archive(entryOf({ name: 'odd', content: 'x', checksum: '000001\0 ' })),
  'an archive that is cut': () => gzipSync(honestTar.subarray(0, BLOCK + 7)),
  'a compression that is cut': () => honestPackage.subarray(0, honestPackage.length - 9),
  'bytes behind the end': () => Buffer.concat([honestPackage, Buffer.from('and more')]),
  'zeros behind the end': () => Buffer.concat([honestPackage, Buffer.alloc(600)]),
  'a second archive behind the first': () => Buffer.concat([honestPackage, honestPackage]),
  'compression within compression': () => gzipSync(honestPackage),
  'no compression': () => honestTar,
  'nothing at all': () => Buffer.alloc(0),
  'only folders': () => gzipSync(Buffer.concat([entryOf({ name: 'src/', type: '5' }), END])),
};
