import { open } from 'node:fs/promises';

export interface ImageSize {
  width: number;
  height: number;
}

const HEAD_BYTES = 256 * 1024;

/** Width and height from a picture's first bytes; null when they are not where they should be. */
export async function imageSizeOf(path: string, mediaType: string): Promise<ImageSize | null> {
  const read = readers[mediaType];
  if (!read) return null;
  const size = read(await headOf(path));
  return size && size.width > 0 && size.height > 0 ? size : null;
}

async function headOf(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

const readers: Record<string, (head: Buffer) => ImageSize | null> = {
  'image/png': (head) =>
    head.length < 24 ? null : { width: head.readUInt32BE(16), height: head.readUInt32BE(20) },
  'image/gif': (head) =>
    head.length < 10 ? null : { width: head.readUInt16LE(6), height: head.readUInt16LE(8) },
  'image/jpeg': jpegSize,
  'image/webp': webpSize,
};

/** Walks from marker to marker until a frame header (SOF) tells. */
function jpegSize(head: Buffer): ImageSize | null {
  let at = 2;
  while (at + 9 < head.length) {
    if (head[at] !== 0xff) return null;
    const marker = head[at + 1] ?? 0;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { height: head.readUInt16BE(at + 5), width: head.readUInt16BE(at + 7) };
    at += marker === 0xff ? 1 : 2 + head.readUInt16BE(at + 2);
  }
  return null;
}

function webpSize(head: Buffer): ImageSize | null {
  if (head.length < 30) return null;
  switch (head.toString('latin1', 12, 16)) {
    case 'VP8 ':
      return { width: head.readUInt16LE(26) & 0x3fff, height: head.readUInt16LE(28) & 0x3fff };
    case 'VP8L': {
      const bits = head.readUInt32LE(21);
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case 'VP8X':
      return { width: head.readUIntLE(24, 3) + 1, height: head.readUIntLE(27, 3) + 1 };
    default:
      return null;
  }
}
