import { z } from 'zod';
import { askAgain } from '../http/recent-login.ts';
import { file, redirect, view, type Reply } from '../http/reply.ts';
import { route, type Incoming, type Route } from '../http/route.ts';
import { tabsAt } from '../plugin-host/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { KnownError } from '../shared/errors.ts';
import { sorts } from './catalogue-search-repository.ts';
import {
  presentDetails,
  presentOffered,
  presentOperation,
  presentRating,
  presentShelf,
  presentWish,
} from './marketplace-presenter.ts';
import { ratingRoute } from './rating-routes.ts';
import type { RatingService } from './rating-service.ts';
import type { MarketplaceService } from './marketplace-service.ts';

const PATH = '/admin/marketplace';
const access = { right: 'plugin.manage' };
const plugin = z.object({ id: z.string().max(64) });
const installForm = z.object({ version: z.string().max(40).optional(), trial: z.literal('yes').optional() });
const skipForm = z.object({ version: z.string().max(40) });
const digest = z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/) });
const wish = z.object({
  q: z.string().trim().max(200).catch(''),
  tag: z.string().max(60).catch(''),
  only: z.enum(['', 'free', 'premium']).catch(''),
  sort: z.enum(sorts).catch('downloads'),
  page: z.coerce.number().int().min(1).max(10_000).catch(1),
});
const A_YEAR = 'private, max-age=31536000, immutable';

interface Deps {
  marketplace: MarketplaceService;
  ratings: RatingService;
  clock: Clock;
}

/** Where administrators look for plugins and bring them in. Every page is made of what was stored before. */
export function marketplaceRoutes({ marketplace, ratings, clock }: Deps): Route[] {
  const discover = async (
    { actor, locale, query }: Pick<Incoming, 'actor' | 'locale' | 'query'>,
    error?: KnownError,
  ): Promise<Reply> => {
    const { q: words, page, ...rest } = wish.parse(query);
    const asked = { words, ...rest };
    const { shelf, items, total, perPage, tags } = await marketplace.discover(actor, asked, page);
    const updates = await marketplace.updates(actor);
    return view('marketplace/discover', {
      tabs: tabsAt('discover'),
      shelf: presentShelf(shelf),
      wish: presentWish(asked, tags),
      plugins: items.map((one) => presentOffered(one, shelf.reading, { locale })),
      updates: updates.map((one) => presentOffered(one, shelf.reading, { locale })),
      mayUpdate: updates.some(({ refusal }) => refusal === null),
      pager: { page, perPage, total },
      total,
      message: error && { code: error.code, params: error.params },
    });
  };

  const details = async (
    { actor, locale, params }: Pick<Incoming<z.output<typeof plugin>>, 'actor' | 'locale' | 'params'>,
    error?: KnownError,
  ): Promise<Reply> => {
    const { shelf, offered } = await marketplace.find(actor, params.id);
    return view('marketplace/details', {
      shelf: presentShelf(shelf),
      plugin: presentDetails(offered, shelf.reading, { locale }),
      rating: presentRating(offered, await ratings.of(offered.item.id)),
      message: error && { code: error.code, params: error.params },
    });
  };

  const refused = (incoming: Parameters<typeof details>[0], error: KnownError): Promise<Reply> => {
    if (error.kind === 'not-found' || error.kind === 'forbidden') throw error;
    return details(incoming, error);
  };

  const progress = async ({
    actor,
    params,
  }: Pick<Incoming<z.output<typeof plugin>>, 'actor' | 'params'>): Promise<object> =>
    presentOperation(await marketplace.operation(actor, params.id));

  return [
    route({ method: 'get', path: PATH, access, handler: (incoming) => discover(incoming) }),
    route({
      method: 'post',
      path: `${PATH}/refresh`,
      access,
      handler: async ({ actor }) => {
        await marketplace.refreshSoon(actor);
        return redirect(PATH, { flash: { kind: 'info', code: 'marketplace:flash.refreshing' } });
      },
    }),
    route({
      method: 'post',
      path: `${PATH}/update-all`,
      access,
      onRefused: (incoming, error) => discover({ ...incoming, query: {} }, error),
      handler: async (incoming) => {
        const asked = askAgain(incoming, { now: clock.now(), next: PATH });
        if (asked) return asked;
        const begun = await marketplace.updateAll(incoming.actor);
        const params = { count: begun.length };
        return redirect(PATH, { flash: { kind: 'info', code: 'marketplace:flash.updating', params } });
      },
    }),
    route({
      method: 'get',
      path: `${PATH}/plugins/:id`,
      access,
      params: plugin,
      handler: (incoming) => details(incoming),
    }),
    route({
      method: 'post',
      path: `${PATH}/plugins/:id/install`,
      access,
      params: plugin,
      body: installForm,
      onRefused: refused,
      handler: async (incoming) => {
        const { actor, params, body } = incoming;
        const asked = askAgain(incoming, { now: clock.now(), next: `${PATH}/plugins/${params.id}` });
        if (asked) return asked;
        const { id } = await marketplace.install(actor, params.id, body.version, {
          asTrial: body.trial === 'yes',
        });
        return redirect(`${PATH}/operations/${id}`);
      },
    }),
    route({
      method: 'post',
      path: `${PATH}/plugins/:id/skip`,
      access,
      params: plugin,
      body: skipForm,
      onRefused: refused,
      handler: async ({ actor, params, body }) => {
        await marketplace.skip(actor, params.id, body.version);
        const said = { version: body.version };
        return redirect(`${PATH}/plugins/${params.id}`, {
          flash: { kind: 'info', code: 'marketplace:flash.skipped', params: said },
        });
      },
    }),
    route({
      method: 'post',
      path: `${PATH}/plugins/:id/unskip`,
      access,
      params: plugin,
      onRefused: refused,
      handler: async ({ actor, params }) => {
        await marketplace.unskip(actor, params.id);
        return redirect(`${PATH}/plugins/${params.id}`);
      },
    }),
    ratingRoute({ ratings, shownAgain: details }),
    route({
      method: 'get',
      path: `${PATH}/operations/:id`,
      access,
      params: plugin,
      handler: async (incoming) =>
        view(incoming.wantsFragment ? 'marketplace/progress' : 'marketplace/operation', {
          operation: await progress(incoming),
        }),
    }),
    route({
      method: 'get',
      path: `${PATH}/pictures/:sha256`,
      access,
      params: digest,
      handler: async ({ actor, params }) => {
        const picture = await marketplace.picture(actor, params.sha256);
        const facts = { name: 'picture.png', mediaType: 'image/png', inline: true, size: picture.length };
        return file(picture, facts, { headers: { 'Cache-Control': A_YEAR } });
      },
    }),
  ];
}
