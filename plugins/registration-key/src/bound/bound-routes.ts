import {
  InvalidInputError,
  redirect,
  route,
  view,
  z,
  type Host,
  type KnownError,
  type Reply,
  type Route,
} from 'latchkey/plugin-api';
import { problemsOf } from '../join/join-presenter.ts';
import { ShownSecret } from '../keys/shown-secret.ts';
import type { TicketKeys } from './ticket-keys.ts';

interface Deps {
  host: Host;
  ticketKeys: TicketKeys;
}

const ids = z
  .union([z.string(), z.array(z.string())])
  .default([])
  .transform((value) => [value].flat());
const params = z.object({ number: z.coerce.number().int().positive() });
const inviteForm = z.object({
  inviteEmail: z.string().trim().max(320).default(''),
  body: z.string().trim().max(20_000).default(''),
  attachments: ids,
});

/** The button in the reply form of a ticket, and the page that keeps what was typed when it was refused. */
export function boundRoutes({ host, ticketKeys }: Deps): Route[] {
  const shown = new ShownSecret(host);
  const again = (number: number, typed: object, error: KnownError): Reply =>
    view(`${host.plugin.id}/bound/again`, { number, ...typed, errors: problemsOf(error) });

  return [
    route({
      method: 'post',
      path: '/invitation-keys/for-ticket/:number',
      access: 'signed-in',
      params,
      uploads: true,
      body: inviteForm,
      onRefused: (incoming, error) => {
        if (error.kind === 'not-found') throw error;
        const { number } = params.parse(incoming.params);
        return again(number, inviteForm.catch(inviteForm.parse({})).parse(incoming.body), error);
      },
      handler: async ({ actor, params: { number }, body, files }) => {
        if (body.inviteEmail === '')
          throw new InvalidInputError('input.invalid', {
            fields: [{ field: 'inviteEmail', code: 'invitation.not_an_address' }],
          });
        const { inviteEmail: email, ...draft } = body;
        const made = await ticketKeys.invite(actor, number, { email, ...draft, files });
        const flash = {
          kind: 'success',
          code: `registration-key:flash.${host.mail.isOn ? 'ticket-invited' : 'ticket-key-made'}`,
          params: { email },
        } as const;
        if (host.mail.isOn) return redirect(`/tickets/${String(number)}`, { flash });
        const cookies = [shown.keep(made.key.id, made.text, actor.userId)];
        return redirect(`/invitation-keys/${made.key.id}/link`, { cookies, flash });
      },
    }),
  ];
}

/** In the reply box of a ticket whose requester has no account. */
export function replySlot({ host, ticketKeys }: Deps): void {
  host.slot<{ number: number; entityId: string }>(
    'ticket.reply',
    `${host.plugin.id}/bound/reply`,
    async (ticket, actor) => {
      if (!(await ticketKeys.mayInvite(actor, ticket))) return null;
      const email = await host.tickets.correspondent(actor, ticket.number);
      const invitedAt = email === null ? null : await ticketKeys.invitedAt(actor, ticket.number, email);
      return { number: ticket.number, email: email ?? '', invitedAt, mailIsOn: host.mail.isOn };
    },
  );
}
