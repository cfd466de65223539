/** A hub with as many plugins as asked for, which behaves as it is told: `POST /mode` with `well`, `dripping` or `garbage`; stopped by a signal it is a black hole. */
import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHash } from 'node:crypto';

const count = Number(process.argv[2] ?? 100);
const manifest = JSON.parse(
  readFileSync(new URL('../../plugins/tag/plugin.json', import.meta.url), 'utf8'),
) as Record<string, unknown>;
const words =
  'assets backup billing calendar chat contract garden invoice network office printer projects reports school survey translation'.split(
    ' ',
  );
const wordAt = (at: number): string => words[at % words.length] ?? '';

function pluginAt(at: number): object {
  const id = `${wordAt(at)}-${String(at)}`;
  const readme = `# ${id}\n\n${`Looks after the ${wordAt(at)} of an office, with ${wordAt(at + 3)} and ${wordAt(at + 7)}. `.repeat(25)}`;
  const addedAt = new Date(Date.UTC(2025, 0, 1) + at * 3_600_000).toISOString();
  return {
    id,
    publisher: `Publisher ${String(at % 97)}`,
    license: 'MIT',
    homepage: null,
    words: {
      en: {
        name: `${wordAt(at)} ${String(at)}`,
        description: `Keeps ${wordAt(at + 1)} and ${wordAt(at + 5)} together`,
      },
      fr: {
        name: `${wordAt(at)} ${String(at)}`,
        description: `Garde ${wordAt(at + 1)} et ${wordAt(at + 5)} ensemble`,
      },
    },
    readme: { en: readme, fr: readme },
    tags: [wordAt(at), wordAt(at + 1)],
    symbol: 'puzzle',
    icon: null,
    screenshots: [],
    requiredOffers: at % 4 === 0 ? ['network-basic'] : [],
    trialDays: 0,
    downloads: (at * 7919) % 100_000,
    stars: (at % 50) / 10,
    ratings: at % 30,
    addedAt,
    updatedAt: addedAt,
    manifest: { ...manifest, id },
    releases: [0, 1, 2].map((back) => ({
      version: `1.${String(2 - back)}.0`,
      channel: 'stable',
      latchkey: '>=0.1.0 <1.0.0',
      sha256: createHash('sha256')
        .update(`${id}${String(back)}`)
        .digest('hex'),
      size: 40_000,
      notes: 'Mended what did not work, and something that did.',
      publishedAt: addedAt,
      withdrawn: null,
      reason: null,
    })),
  };
}

const info = {
  is_valid: true,
  validation_message: 'This key is valid.',
  owner: { name: 'Example Hospital' },
  subscription: {
    offer_reference: 'network-basic',
    title: 'Basic',
    is_running: true,
    begin_date: '2026-01-01',
    end_date: null,
    features: ['marketplace'],
  },
};

function answerTo(url: URL): unknown {
  const page = Number(url.searchParams.get('page') ?? 1);
  const perPage = Number(url.searchParams.get('perPage') ?? 100);
  const from = (page - 1) * perPage;
  switch (url.pathname) {
    case '/api/registration/info':
      return info;
    case '/api/network/v1/offers':
      return { items: [{ reference: 'network-basic', title: 'Basic', features: [] }] };
    case '/api/network/v1/catalogue':
      return {
        items: Array.from({ length: Math.max(0, Math.min(perPage, count - from)) }, (_, at) =>
          pluginAt(from + at),
        ),
        page,
        perPage,
        total: count,
      };
    case '/api/ping':
      return { status: 'ok' };
    default:
      return null;
  }
}

let mode = 'well';

function drip(res: ServerResponse): void {
  res.writeHead(200, { 'content-type': 'application/json' });
  const drops = setInterval(() => res.write(' '), 50);
  res.once('close', () => {
    clearInterval(drops);
  });
}

const garbage = Buffer.from(`{"is_valid":${'[{"a":'.repeat(200_000)}`);

const server = createServer((req, res) => {
  const url = new URL(req.url ?? '/', 'http://hub');
  if (url.pathname === '/mode') {
    req.on('data', (part: Buffer) => (mode = part.toString()));
    req.on('end', () => res.end());
    return;
  }
  if (mode === 'dripping') drip(res);
  else if (mode === 'garbage') res.setHeader('content-type', 'application/json').end(garbage);
  else {
    const said = answerTo(url);
    res
      .writeHead(said === null ? 404 : 200, { 'content-type': 'application/json' })
      .end(JSON.stringify(said));
  }
}).listen(0, '127.0.0.1', () => {
  console.log(`A hub is ready at http://127.0.0.1:${String((server.address() as AddressInfo).port)}`);
});
