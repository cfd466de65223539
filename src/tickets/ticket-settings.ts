import { z } from 'zod';
import { defineSetting, type SettingGroup } from '../settings/index.ts';

/** Days after which a solved ticket that nobody came back to is closed; 0 leaves it to people. */
export const autoCloseDays = defineSetting({
  id: 'tickets.auto-close-days',
  schema: z.coerce.number().int().min(0).max(365),
  default: 7,
});

/** The plugin that keeps newly attached files; empty for the disk of the server. */
export const attachmentStore = defineSetting({
  id: 'tickets.attachment-store',
  schema: z.string().max(48),
  default: '',
});

export const ticketSettings: SettingGroup = {
  id: 'tickets',
  title: 'tickets:settings.title',
  fields: [
    {
      token: autoCloseDays,
      kind: 'number',
      label: 'tickets:settings.auto-close',
      hint: 'tickets:settings.auto-close-hint',
    },
    {
      token: attachmentStore,
      kind: 'text',
      label: 'tickets:settings.attachment-store',
      hint: 'tickets:settings.attachment-store-hint',
    },
  ],
};
