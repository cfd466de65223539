import { z } from 'zod';
import { view } from '../http/reply.ts';
import { route, type Route } from '../http/route.ts';
import { presentStep } from '../views/index.ts';
import type { TicketService } from './ticket-service.ts';

/** Who changed what a ticket says on its way into the database. */
export const trailRoutes = ({ tickets }: { tickets: TicketService }): Route[] => [
  route({
    method: 'get',
    path: '/tickets/:number/trail',
    access: { right: 'plugin.manage' },
    params: z.object({ number: z.coerce.number().int().positive() }),
    handler: async ({ actor, params: { number } }) => {
      const { ticket, steps } = await tickets.trail(actor, number);
      return view('tickets/trail', {
        number,
        title: ticket.title,
        steps: steps.map(({ step, at }) => presentStep(step, at)),
      });
    },
  }),
];
