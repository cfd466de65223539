import {
  askAgain,
  file,
  NotFoundError,
  redirect,
  route,
  text as textReply,
  view,
  z,
  type Host,
  type Incoming,
  type Reply,
  type Route,
} from 'latchkey/plugin-api';
import type { Copy } from '../copies/copy.ts';
import { findCopy } from '../copies/copy-repository.ts';
import { problemsOf } from '../join/join-presenter.ts';
import type { InvitationKey } from '../keys/invitation-key.ts';
import type { KeyService } from '../keys/key-service.ts';
import { qrAsPng, qrAsSvg, qrCodeOf } from '../keys/qr.ts';
import { ShownSecret } from '../keys/shown-secret.ts';
import { type PrintService } from './print-service.ts';
import { qrLink } from './qr-link.ts';
import { papers, presentSheet, sheetLayouts, type SheetChoice, type ToPrint } from './sheet.ts';
import { spelled, spellingFor, spellingLanguages } from './spelling.ts';

interface Deps {
  host: Host;
  keys: KeyService;
  prints: PrintService;
}

/** A key, or a copy of it, whose link this browser may see for some minutes. */
interface Shown {
  key: InvitationKey;
  copy: Copy | null;
  text: string;
}

const READ = { right: 'registration-key.read' };
const REVEAL = { right: 'registration-key.reveal' };
const ROOT = '/invitation-keys';
const idParams = z.object({ id: z.string().max(40) });
const locales = ['en', 'fr'] as const;
const copyQuery = z.object({ copy: z.string().max(40).optional() });
const sheetQuery = copyQuery.extend({
  layout: z.enum(sheetLayouts).catch('poster'),
  paper: z.enum(papers).catch('a4'),
  lang: z.enum(locales).optional().catch(undefined),
});
const aloudQuery = copyQuery.extend({ lang: z.enum(spellingLanguages).optional().catch(undefined) });
const printForm = z.object({
  ids: z
    .union([z.string(), z.array(z.string())])
    .default([])
    .transform((ids) => [ids].flat()),
  layout: z.enum(sheetLayouts).catch('cards8'),
  paper: z.enum(papers).catch('a4'),
});

/** What an invitation becomes on its way to people: paper, a picture, a voice. */
export function shareRoutes({ host, keys, prints }: Deps): Route[] {
  const secrets = new ShownSecret(host);
  const page = (template: string, model: object): Reply =>
    view(`${host.plugin.id}/sharing/${template}`, model);

  async function shown(incoming: Incoming, id: string, copyId: string | undefined): Promise<Shown | null> {
    const { actor, cookies } = incoming;
    const key = await keys.get(actor, id);
    const copy = copyId === undefined ? null : await findCopy(host.db, copyId);
    if (copyId !== undefined && copy?.keyId !== key.id) throw new NotFoundError('invitation.copy_not_found');
    const text = secrets.read(cookies, copy?.id ?? id, actor.userId);
    return text === null ? null : { key, copy, text };
  }

  /** Whoever comes late goes back to the key, where the link can be shown again. */
  async function withShown(
    incoming: Incoming<z.infer<typeof idParams>, z.infer<typeof copyQuery>>,
    work: (shown: Shown) => Reply | Promise<Reply>,
  ): Promise<Reply> {
    const { id } = incoming.params;
    const { copy } = incoming.query;
    const found = await shown(incoming, id, copy);
    if (found !== null) return work(found);
    return redirect(copy === undefined ? `${ROOT}/${id}` : `${ROOT}/${id}/copies`);
  }

  async function sheet(
    toPrint: readonly ToPrint[],
    choice: SheetChoice,
    { path, query, back }: { path: string; query: Record<string, string>; back: string },
  ): Promise<Reply> {
    const address = (changes: Partial<Record<'layout' | 'paper' | 'lang', string>>): string => {
      const words = { layout: choice.layout, paper: choice.paper, lang: choice.locale, ...query, ...changes };
      return `${path}?${new URLSearchParams(words).toString()}`;
    };
    const offered = (name: 'layout' | 'paper' | 'lang', values: readonly string[], now: string): object[] =>
      values.map((value) => ({ value, path: address({ [name]: value }), active: value === now }));
    return page('sheet', {
      ...(await presentSheet(host, toPrint, choice)),
      layouts: offered('layout', sheetLayouts, choice.layout),
      papers: offered('paper', papers, choice.paper),
      languages: offered('lang', locales, choice.locale),
      back,
      count: toPrint.length,
      warn: toPrint.length === 1,
    });
  }

  const localeOf = (key: Pick<InvitationKey, 'locale'>, otherwise: string): string => key.locale ?? otherwise;

  return [
    route({
      method: 'get',
      path: `${ROOT}/:id/card`,
      access: READ,
      params: idParams,
      query: sheetQuery,
      handler: (incoming) =>
        withShown(incoming, async ({ key, copy, text }) => {
          const { layout, paper, lang } = incoming.query;
          const locale = lang ?? localeOf(key, (await host.site()).locale);
          const query = copy === null ? {} : { copy: copy.id };
          const path = `${ROOT}/${key.id}/card`;
          const back = copy === null ? `${ROOT}/${key.id}/link` : `${ROOT}/${key.id}/copies/${copy.id}/link`;
          return sheet(
            [{ key, text, copy: copy?.name ?? '' }],
            { layout, paper, locale },
            { path, query, back },
          );
        }),
    }),
    route({
      method: 'get',
      path: `${ROOT}/:id/aloud`,
      access: READ,
      params: idParams,
      query: aloudQuery,
      handler: (incoming) =>
        withShown(incoming, async ({ key, copy, text }) => {
          const language = incoming.query.lang ?? spellingFor(localeOf(key, incoming.locale));
          const { origin } = await host.site();
          const query = copy === null ? '' : `copy=${copy.id}&`;
          return page('aloud', {
            key: { id: key.id, label: key.label },
            language,
            languages: spellingLanguages.map((lang) => ({
              lang,
              path: `${ROOT}/${key.id}/aloud?${query}lang=${lang}`,
              active: lang === language,
            })),
            groups: spelled(text.replace(/^lkinv_/, ''), language),
            shortUrl: `${origin.replace(/^https?:\/\//, '')}/join`,
            back: copy === null ? `${ROOT}/${key.id}/link` : `${ROOT}/${key.id}/copies/${copy.id}/link`,
          });
        }),
    }),
    ...(['svg', 'png'] as const).map((ending) =>
      route({
        method: 'get',
        path: `${ROOT}/:id/qr.${ending}`,
        access: READ,
        params: idParams,
        query: copyQuery,
        handler: (incoming) =>
          withShown(incoming, async ({ key, copy, text }) => {
            const url = qrLink((await host.site()).origin, text);
            const name = `${nameOf(copy?.name ?? key.label)}.${ending}`;
            const headers = { 'Cache-Control': 'no-store' };
            if (ending === 'png')
              return file(await qrAsPng(url), { name, mediaType: 'image/png' }, { headers });
            return textReply(qrAsSvg(qrCodeOf(url)), 'image/svg+xml', {
              headers: { ...headers, 'Content-Disposition': `attachment; filename="${name}"` },
            });
          }),
      }),
    ),
    route({
      method: 'post',
      path: `${ROOT}/print`,
      access: REVEAL,
      body: printForm,
      onRefused: (_incoming, error) => {
        const [problem] = problemsOf(error);
        return redirect(`${ROOT}?tab=active`, {
          flash: {
            kind: 'warning',
            code: `registration-key:errors.${problem?.code ?? error.code}`,
            params: { ...(problem?.params ?? error.params) },
          },
        });
      },
      handler: async (incoming) => {
        const { ids, layout, paper } = incoming.body;
        const asked = askAgain(incoming, { now: host.clock.now(), next: ROOT });
        if (asked) return asked;
        const job = await prints.prepare(incoming.actor, ids);
        return redirect(`${ROOT}/print/${job}?layout=${layout}&paper=${paper}`);
      },
    }),
    route({
      method: 'get',
      path: `${ROOT}/print/:id`,
      access: REVEAL,
      params: idParams,
      query: sheetQuery,
      onRefused: () => redirect(ROOT),
      handler: async ({ actor, params: { id }, query }) => {
        const found = await prints.open(actor, id);
        const { layout, paper, lang } = query;
        const locale = lang ?? localeOf(found[0]?.key ?? { locale: null }, (await host.site()).locale);
        const toPrint = found.map(({ key, text }) => ({ key, text, copy: '' }));
        const path = `${ROOT}/print/${id}`;
        return sheet(toPrint, { layout, paper, locale }, { path, query: {}, back: ROOT });
      },
    }),
  ];
}

const nameOf = (label: string): string =>
  label
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\w-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .toLowerCase()
    .slice(0, 60) || 'invitation';
