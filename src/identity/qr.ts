import QRCode from 'qrcode';

/** Black on white in the dark theme too: phones cannot read it otherwise. A data URL, so that a template needs no raw markup. */
export async function qrImage(text: string): Promise<string> {
  const svg = await QRCode.toString(text, { type: 'svg', errorCorrectionLevel: 'M', margin: 4 });
  return `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
}
