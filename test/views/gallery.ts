import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { AssetStore, I18n, type PageContext, Renderer } from '../../src/views/index.ts';
import type { Theme } from '../../src/views/page-context.ts';
import { galleryModel, galleryPage } from './gallery-model.ts';

const root = join(import.meta.dirname, '../..');
const folder = join(import.meta.dirname, 'gallery');

export const i18n = new I18n({ directory: join(root, 'locales'), showMissing: true });
export const assets = new AssetStore(join(root, 'public'));

/** A renderer with the real templates and those of the gallery. */
export function testRenderer(): Renderer {
  const renderer = new Renderer({
    directory: join(root, 'views'),
    i18n,
    assets,
    now: () => galleryModel.at + 7_200_000,
  });
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.hbs')))
    renderer.add(`gallery/${file.slice(0, -4)}`, 'gallery', readFileSync(join(folder, file), 'utf8'));
  return renderer;
}

export const galleryNames = readdirSync(folder)
  .filter((name) => name.endsWith('.hbs') && !name.startsWith('mail.'))
  .map((name) => name.slice(0, -4));

/** The parts of the house on pages that need no database, under the content policy of the real ones. */
export function galleryServer(): Server {
  const renderer = testRenderer();
  return createServer((req, res) => {
    const { pathname, searchParams } = new URL(req.url ?? '/', 'http://gallery');
    const asset = assets.lookup(pathname);
    if (asset) {
      res.writeHead(200, { 'content-type': asset.mediaType }).end(readFileSync(asset.file));
      return;
    }
    const name = pathname.slice(1);
    if (name !== 'error' && !galleryNames.includes(name)) {
      res.writeHead(404).end();
      return;
    }
    const flash = /^(join|sign-in|error)/.test(name) ? null : galleryPage.flash;
    const page: PageContext = {
      ...galleryPage,
      flash,
      url: req.url ?? '/',
      theme: (searchParams.get('theme') ?? 'auto') as Theme,
    };
    const template = name === 'error' ? 'errors/error' : `gallery/${name}`;
    res.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': POLICY });
    res.end(
      renderer.render(template, name === 'error' ? { status: 404, instance: '7KQ2' } : galleryModel, page),
    );
  });
}

const POLICY =
  "default-src 'none'; script-src 'nonce-gallery' 'strict-dynamic'; style-src 'self' 'nonce-gallery'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'";
