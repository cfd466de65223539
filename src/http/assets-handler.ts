import { readFile } from 'node:fs/promises';
import type { Request, RequestHandler } from 'express';
import type { Asset, AssetStore, Encoding } from '../views/index.ts';

type Assets = Pick<AssetStore, 'lookup' | 'packed'>;

const YEAR = 'public, max-age=31536000, immutable';
const HOUR = 'public, max-age=3600';

/** Answers before anything else looks at the request: no session, no database. */
export function assetsHandler(assets: Assets): RequestHandler {
  return async (req, res, next) => {
    const asset = req.method === 'GET' || req.method === 'HEAD' ? assets.lookup(req.path) : null;
    if (!asset) {
      next();
      return;
    }
    res.set({
      'Content-Type': asset.mediaType,
      'Cache-Control': asset.immutable ? YEAR : HOUR,
      'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
      ETag: asset.etag,
      Vary: 'Accept-Encoding',
    });
    if (req.get('if-none-match') === asset.etag) {
      res.status(304).end();
      return;
    }
    const { content, encoding } = await packedFor(req, asset, assets);
    if (encoding) res.set('Content-Encoding', encoding);
    res.end(req.method === 'HEAD' ? undefined : content);
  };
}

async function packedFor(
  req: Request,
  asset: Asset,
  assets: Assets,
): Promise<{ content: Buffer; encoding: Encoding | null }> {
  const encoding = encodingFor(req.get('accept-encoding') ?? '');
  const packed = encoding ? await assets.packed(asset, encoding) : null;
  return packed ? { content: packed, encoding } : { content: await readFile(asset.file), encoding: null };
}

function encodingFor(accepted: string): Encoding | null {
  if (/\bbr\b/.test(accepted)) return 'br';
  return /\bgzip\b/.test(accepted) ? 'gzip' : null;
}
