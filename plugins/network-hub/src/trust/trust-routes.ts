import {
  askAgain,
  file,
  ForbiddenError,
  InvalidInputError,
  NotFoundError,
  redirect,
  route,
  text,
  view,
  z,
  type Host,
  type Incoming,
  type KnownError,
  type Reply,
  type Route,
} from 'latchkey/plugin-api';
import { goodsHere } from '../goods.ts';
import type { ReleaseService } from '../release-service.ts';
import type { RevealedKey } from '../revealed-key.ts';
import { signCeremony, type TrustService } from './trust-service.ts';

interface Deps {
  host: Host;
  trust: TrustService;
  releases: ReleaseService;
  revealed: RevealedKey;
}

const PATH = '/admin/hub/trust';
const access = { right: 'network-hub.manage' };
const params = z.object({ name: z.string().max(60) });
const held = z.literal('yes').optional();
const publisherForm = z.object({
  name: z.string().trim().min(1).max(120),
  key: z.string().max(2_000).default(''),
  held,
});
const establishForm = z.object({
  who: z.enum(['hub', 'self']).optional(),
  publisher: z.string().trim().max(120).default(''),
});
const signForm = z.object({ keys: z.string().max(8_000).default('') });
const MOST_BYTES = 16_000;
const PEM = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----/g;

/** Where the vendor's people see who signs for their hub; and the signed documents, for whoever asks: they prove themselves. */
export function trustRoutes({ host, trust, releases, revealed }: Deps): Route[] {
  const page = async (body?: unknown, error?: KnownError): Promise<Reply> => {
    const now = await trust.look();
    const rules = now?.wanted ?? now?.rules;
    return view('network-hub/trust', {
      trust: now,
      groups: now?.fingerprint.match(/.{4}/g) ?? [],
      rootEnds: Date.parse(now?.root.expires ?? ''),
      targetsEnd: Date.parse(now?.targets.expires ?? ''),
      publishers: Object.keys(rules?.publishers ?? {}).map((name) => ({
        name,
        waits: now?.rules.publishers[name] === undefined,
        isHeld: typeof now?.heldKey === 'string' && rules?.publishers[name]?.includes(now.heldKey) === true,
      })),
      withdrawn: rules?.withdrawn ?? [],
      // Whoever has published already will go on doing so.
      known: [
        ...new Set((await releases.list({ from: 0, limit: 50 })).map(({ record }) => record.publisher)),
      ],
      form: publisherForm.partial().safeParse(body).data ?? {},
      first: establishForm.safeParse(body).data ?? {},
      errors: error?.fields ?? [],
      message: error?.fields.length === 0 ? error.code : undefined,
    });
  };
  const onRefused = ({ body }: Pick<Incoming, 'body'>, error: KnownError): Promise<Reply> => {
    if (error.kind === 'forbidden') throw error;
    return page(body, error);
  };
  const done = (code: string): Reply =>
    redirect(PATH, { flash: { kind: 'success', code: `network-hub:flash.${code}` } });
  const asked = (incoming: Pick<Incoming, 'session'>): Reply | null =>
    askAgain(incoming, { now: host.clock.now(), next: PATH });

  return [
    route({
      method: 'get',
      path: '/api/network/v1/trust/:name',
      access: 'public',
      params,
      handler: async (incoming) => {
        const body = await trust.document(incoming.params.name);
        if (!body) throw new NotFoundError('hub.no-document');
        return text(body.toString('utf8'), 'application/json; charset=utf-8');
      },
    }),
    route({ method: 'get', path: PATH, access, handler: (incoming) => asked(incoming) ?? page() }),
    route({
      method: 'post',
      path: `${PATH}/establish`,
      access,
      body: establishForm,
      onRefused,
      handler: async (incoming) => {
        const again = asked(incoming);
        if (again) return again;
        const { who, publisher } = incoming.body;
        if (who === undefined) throw wrong('who', 'hub.trust-choose');
        if (who === 'hub' && publisher === '') throw wrong('publisher', 'hub.trust-publisher-missing');
        const pems = await trust.establish(incoming.actor, {
          heldFor: who === 'hub' ? await publishersWith(publisher) : [],
        });
        await releases.signWaiting(incoming.actor).catch(forbidden);
        const sealed = revealed.seal(incoming.actor.userId, pems.join('\n'));
        return view('network-hub/keepers', { pems, sealed });
      },
    }),
    route({
      method: 'post',
      path: `${PATH}/keepers`,
      access,
      body: z.object({ sealed: z.string().max(4_000) }),
      handler: ({ actor, body }) => {
        const pems = revealed.open(actor.userId, body.sealed)?.match(PEM);
        if (!pems) throw new NotFoundError('hub.key-shown-already');
        const parts = pems.map((pem, at) => `Keeper ${String(at + 1)} of 3\n${pem}\n`);
        return file(Buffer.from(parts.join('\n')), {
          name: 'latchkey-hub-keepers.txt',
          mediaType: 'text/plain',
        });
      },
    }),
    route({
      method: 'post',
      path: `${PATH}/publishers`,
      access,
      body: publisherForm,
      onRefused,
      handler: async (incoming) => {
        const again = asked(incoming);
        if (again) return again;
        const { name, key, held: isHeld } = incoming.body;
        if (isHeld === 'yes') await trust.wantHeld(incoming.actor, name);
        else await trust.wantPublisher(incoming.actor, name, key);
        return done('trust-wanted');
      },
    }),
    route({
      method: 'post',
      path: `${PATH}/sign`,
      access,
      uploads: true,
      body: signForm,
      onRefused,
      handler: async (incoming) => {
        const again = asked(incoming);
        if (again) return again;
        const carriedFile = incoming.files.find(
          ({ field, size }) => field === 'file' && size > 0 && size < MOST_BYTES,
        );
        const carried = carriedFile ? (await carriedFile.read()).toString('utf8') : '';
        const pems = `${incoming.body.keys}\n${carried}`.match(PEM) ?? [];
        if (pems.length < 2) throw new InvalidInputError('hub.trust-two-keys');
        const drafted = await trust.begin(incoming.actor);
        await trust.finish(incoming.actor, JSON.stringify(signCeremony(drafted, pems.slice(0, 3))));
        await releases.signWaiting(incoming.actor).catch(forbidden);
        return done('trust-signed');
      },
    }),
  ];
}

/** What is packed on this server nobody else could sign. */
async function publishersWith(publisher: string): Promise<string[]> {
  return [...new Set([publisher, ...(await goodsHere()).map((good) => good.publisher)])];
}

const wrong = (field: string, code: string): InvalidInputError =>
  new InvalidInputError('input.invalid', { fields: [{ field, code }] });

/** Who holds ceremonies need not be who publishes; then it is signed with the next publication. */
function forbidden(error: unknown): void {
  if (!(error instanceof ForbiddenError)) throw error;
}
