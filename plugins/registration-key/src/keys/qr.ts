import QRCode from 'qrcode';

export interface QrCode {
  /** Width of the drawing in modules, with the quiet zone. */
  size: number;
  /** One SVG path of all dark modules. */
  path: string;
}

const QUIET = 4;

/** Drawn on the server as one path: nothing to load, nothing to run, sharp on paper. */
export function qrCodeOf(url: string): QrCode {
  const { modules } = QRCode.create(url, { errorCorrectionLevel: 'M' });
  const rows = Array.from({ length: modules.size }, (_, y) =>
    rowPath(y, (x) => modules.get(y, x) === 1, modules.size),
  );
  return { size: modules.size + 2 * QUIET, path: rows.join('') };
}

/** For a terminal. */
export const qrInText = (url: string): Promise<string> =>
  QRCode.toString(url, { type: 'utf8', errorCorrectionLevel: 'M' });

/** For a word processor or a printing house: large modules, sharp edges. */
export const qrAsPng = (url: string): Promise<Buffer> =>
  QRCode.toBuffer(url, { type: 'png', errorCorrectionLevel: 'M', margin: QUIET, scale: 24 });

export const qrAsSvg = ({ size, path }: QrCode): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(size)} ${String(size)}" shape-rendering="crispEdges"><rect width="100%" height="100%" fill="#fff"/><path d="${path}" fill="#000"/></svg>`;

function rowPath(y: number, isDark: (x: number) => boolean, size: number): string {
  let path = '';
  for (let x = 0; x < size; x += 1) {
    if (!isDark(x)) continue;
    let end = x + 1;
    while (end < size && isDark(end)) end += 1;
    path += `M${String(x + QUIET)} ${String(y + QUIET)}h${String(end - x)}v1h-${String(end - x)}z`;
    x = end;
  }
  return path;
}
