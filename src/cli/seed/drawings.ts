import { crc32, deflateSync } from 'node:zlib';

/** A file as somebody would attach it. */
export interface DemoFile {
  name: string;
  mediaType: string;
  content: Buffer;
}

type Colour = readonly [number, number, number];
interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
  colour: Colour;
}

const WIDTH = 640;
const HEIGHT = 400;
const desk: Colour = [226, 232, 240];
const ink: Colour = [71, 85, 105];

/** A window with an error in it, as people paste it. */
export function screenshot(name: string): DemoFile {
  const boxes: Box[] = [
    { x: 60, y: 40, width: 520, height: 320, colour: [255, 255, 255] },
    { x: 60, y: 40, width: 520, height: 34, colour: [37, 99, 235] },
    { x: 552, y: 50, width: 14, height: 14, colour: [248, 113, 113] },
    ...[0, 1, 2, 3].map((line) => ({
      x: 90,
      y: 100 + line * 24,
      width: 420 - line * 60,
      height: 9,
      colour: ink,
    })),
    { x: 90, y: 220, width: 460, height: 74, colour: [254, 226, 226] },
    { x: 90, y: 220, width: 6, height: 74, colour: [220, 38, 38] },
    { x: 114, y: 240, width: 300, height: 10, colour: [153, 27, 27] },
    { x: 114, y: 264, width: 220, height: 9, colour: [185, 28, 28] },
    { x: 466, y: 316, width: 84, height: 26, colour: [37, 99, 235] },
  ];
  return { name, mediaType: 'image/png', content: png(boxes) };
}

export const logFile = (name: string, lines: readonly string[]): DemoFile => ({
  name,
  mediaType: 'text/plain',
  content: Buffer.from(`${lines.join('\n')}\n`),
});

function png(boxes: readonly Box[]): Buffer {
  const rows = Buffer.alloc(HEIGHT * (1 + WIDTH * 3));
  fill(rows, { x: 0, y: 0, width: WIDTH, height: HEIGHT, colour: desk });
  for (const box of boxes) fill(rows, box);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(WIDTH, 0);
  header.writeUInt32BE(HEIGHT, 4);
  // Eight bits for each of red, green and blue.
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Each row begins with a byte that says it is not filtered. */
function fill(rows: Buffer, { x, y, width, height, colour }: Box): void {
  for (let row = y; row < y + height; row += 1) {
    for (let column = x; column < x + width; column += 1)
      rows.set(colour, row * (1 + WIDTH * 3) + 1 + column * 3);
  }
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'ascii'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
