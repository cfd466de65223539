import type { Host } from 'latchkey/plugin-api';
import type { SubscriptionService } from '../subscription-service.ts';
import { titleOf } from '../offer-title.ts';
import { findRequestOf } from './support-repository.ts';

/** Beside a ticket that came from a customer's helpdesk: whose it is, and what they have taken. */
export const addSupportCard = (host: Host, subscriptions: SubscriptionService): void => {
  host.slot<{ number: number; entityId: string }>(
    'ticket.sidebar',
    'network-hub/support-card',
    async ({ number, entityId }, actor) => {
      if (!actor.can('ticket.reply', entityId)) return null;
      const request = await findRequestOf(host.db, number);
      const standing = request && (await subscriptions.standing(request));
      if (!request || !standing) return null;
      const { subscription, offer, isRunning, instance } = standing;
      return {
        owner: subscription.owner,
        title: titleOf(host, offer, actor.locale),
        isRunning,
        plugin: request.plugin,
        program: instance?.program ?? '',
        seenAt: instance?.seenAt ?? null,
      };
    },
  );
};
