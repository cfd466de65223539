import type { RequestHandler } from 'express';

/** Where static files come from; `views/assets.ts` is one. */
export interface AssetSource {
  lookup(path: string, acceptEncoding: string): AssetAnswer | null;
}

export interface AssetAnswer {
  content: Buffer;
  mediaType: string;
  etag: string;
  /** The path holds a hash of the content: it may be kept for ever. */
  immutable: boolean;
  encoding?: string;
}

/** Answers from memory before anything else looks at the request: no session, no database. */
export function assetsHandler(source: AssetSource): RequestHandler {
  return (req, res, next) => {
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      next();
      return;
    }
    const asset = source.lookup(req.path, req.get('accept-encoding') ?? '');
    if (!asset) {
      next();
      return;
    }
    res.set({
      'Content-Type': asset.mediaType,
      'Cache-Control': asset.immutable ? 'public, max-age=31536000, immutable' : 'public, max-age=3600',
      'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
      ETag: asset.etag,
      Vary: 'Accept-Encoding',
    });
    if (asset.encoding !== undefined) res.set('Content-Encoding', asset.encoding);
    if (req.get('if-none-match') === asset.etag) res.status(304).end();
    else res.send(asset.content);
  };
}
