import { z } from 'zod';
import { redirect, view, type Reply } from '../http/reply.ts';
import { route, type Incoming, type Route } from '../http/route.ts';
import type { KnownError } from '../shared/errors.ts';
import { presentDelivery } from './mail-presenter.ts';
import { mailStates } from './mail.ts';
import type { MailService, TestResult } from './mail-service.ts';

const PER_PAGE = 25;
const access = { right: 'mail.manage' };
const list = z.object({
  page: z.coerce.number().int().min(1).max(10_000).catch(1),
  state: z.enum(mailStates).optional().catch(undefined),
});
const testForm = z.object({ to: z.email().max(320) });
const params = z.object({ id: z.string().min(1) });

type Query = z.output<typeof list>;

interface Shown {
  query: Query;
  to?: string;
  error?: KnownError;
  result?: TestResult;
}

/** Where administrators see whether mail works, and what became of each. */
export function mailRoutes(mail: MailService): Route[] {
  async function page({ actor }: Incoming, { query, to, error, result }: Shown): Promise<Reply> {
    const deliveries = await mail.list(actor, { ...query, perPage: PER_PAGE });
    return view('admin/mail', {
      isOn: mail.isOn,
      mode: mail.isOn ? 'on' : 'off',
      from: mail.from,
      isHeld: await mail.isHeld(),
      ...(await mail.stats()),
      deliveries: { ...deliveries, items: deliveries.items.map(presentDelivery) },
      state: query.state,
      to,
      errors: error?.fields ?? [],
      message: error?.fields.length === 0 ? error.code : undefined,
      result,
    });
  }

  return [
    route({
      method: 'get',
      path: '/admin/mail',
      access,
      query: list,
      handler: (incoming) => page(incoming, { query: incoming.query }),
    }),
    route({
      method: 'post',
      path: '/admin/mail/test',
      access,
      body: testForm,
      onRefused: (incoming, error) => page(incoming, { query: { page: 1 }, to: typed(incoming.body), error }),
      handler: async (incoming) => {
        const { to } = incoming.body;
        const result = await mail.test(incoming.actor, to, incoming.locale);
        return page(incoming, { query: { page: 1 }, to, result });
      },
    }),
    route({
      method: 'post',
      path: '/admin/mail/:id/retry',
      access,
      params,
      handler: async ({ actor, params: { id } }) => {
        await mail.retry(actor, id);
        return redirect('/admin/mail', { flash: { kind: 'success', code: 'mail:flash.retried' } });
      },
    }),
  ];
}

const typed = (body: unknown): string => z.object({ to: z.string() }).safeParse(body).data?.to ?? '';
