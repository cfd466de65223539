import type { Domains } from './compose-domains.ts';
import type { Ground } from './compose-ground.ts';
import type { WelcomeStep } from './identity/index.ts';
import { system } from './shared/actor.ts';

/** What to do first in a new house. Whether it is done is read from what really happened. */
export function welcomeSteps({ audit }: Ground, { tickets, mail }: Domains): WelcomeStep[] {
  const hasHappened = async (action: string): Promise<boolean> =>
    (await audit.list(system, { action }, { page: 1, perPage: 1 })).total > 0;
  return [
    {
      id: 'mail',
      path: '/admin/mail',
      icon: 'mail',
      isDone: async () => mail.isOn && (await hasHappened('mail.tested')),
    },
    {
      id: 'category',
      path: '/admin/categories',
      icon: 'folder',
      isDone: async () => (await tickets.categories.listManaged(system)).length > 0,
    },
    {
      id: 'invite',
      path: '/invitation-keys/new',
      icon: 'key',
      isDone: () => hasHappened('invitation-key.minted'),
    },
    { id: 'plugins', path: '/admin/plugins', icon: 'puzzle', isDone: () => hasHappened('plugin.') },
    { id: 'backup', icon: 'database', isDone: () => hasHappened('backup.') },
  ];
}
