import {
  askAgain,
  file,
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
import { signCeremony, type TrustService } from './trust-service.ts';

interface Deps {
  host: Host;
  trust: TrustService;
}

const PATH = '/admin/hub/trust';
const access = { right: 'network-hub.manage' };
const params = z.object({ name: z.string().max(60) });
const publisherForm = z.object({ name: z.string().trim().min(1).max(120), key: z.string().max(2_000) });
const signForm = z.object({ keys: z.string().max(8_000) });
const PEM = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----/g;

/** Where the vendor's people see who signs for their hub; and the signed documents, for whoever asks: they prove themselves. */
export function trustRoutes({ host, trust }: Deps): Route[] {
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
      })),
      withdrawn: rules?.withdrawn ?? [],
      form: publisherForm.partial().safeParse(body).data ?? {},
      message: error?.code,
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
      onRefused,
      handler: async (incoming) => {
        const again = asked(incoming);
        if (again) return again;
        const pems = await trust.establish(incoming.actor);
        const parts = pems.map((pem, at) => `Keeper ${String(at + 1)} of 3\n${pem}`);
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
        await trust.wantPublisher(incoming.actor, incoming.body.name, incoming.body.key);
        return done('trust-wanted');
      },
    }),
    route({
      method: 'post',
      path: `${PATH}/sign`,
      access,
      body: signForm,
      onRefused,
      handler: async (incoming) => {
        const again = asked(incoming);
        if (again) return again;
        const pems = incoming.body.keys.match(PEM) ?? [];
        if (pems.length < 2) throw new InvalidInputError('hub.trust-two-keys');
        const drafted = await trust.begin(incoming.actor);
        await trust.finish(incoming.actor, JSON.stringify(signCeremony(drafted, pems)));
        return done('trust-signed');
      },
    }),
  ];
}
