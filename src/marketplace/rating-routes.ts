import { z } from 'zod';
import { redirect, type Reply } from '../http/reply.ts';
import { route, type Incoming, type Route } from '../http/route.ts';
import type { KnownError } from '../shared/errors.ts';
import type { RatingService } from './rating-service.ts';

const PATH = '/admin/marketplace/plugins/:id/rating';
const params = z.object({ id: z.string().max(64) });
const form = z.object({
  stars: z.coerce.number().int().min(1).max(5),
  sentence: z.string().trim().max(300, 'field.too-long').default(''),
});

interface Deps {
  ratings: RatingService;
  /** The page of the plugin, with what is wrong. */
  shownAgain: (incoming: Incoming<z.output<typeof params>>, error: KnownError) => Promise<Reply>;
}

export const ratingRoute = ({ ratings, shownAgain }: Deps): Route =>
  route({
    method: 'post',
    path: PATH,
    access: { right: 'plugin.manage' },
    params,
    body: form,
    onRefused: (incoming, error) => {
      if (error.kind === 'not-found' || error.kind === 'forbidden') throw error;
      return shownAgain(incoming, error);
    },
    handler: async ({ actor, params: { id }, body }) => {
      await ratings.rate(actor, id, body);
      const flash = { kind: 'success', code: 'marketplace:flash.rated' } as const;
      return redirect(`/admin/marketplace/plugins/${id}#rating`, { flash });
    },
  });
