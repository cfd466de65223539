import { z } from 'zod';
import { defineSetting } from '../settings/index.ts';

/** Days after which a solved ticket that nobody came back to is closed; 0 leaves it to people. */
export const autoCloseDays = defineSetting({
  id: 'tickets.auto-close-days',
  schema: z.coerce.number().int().min(0).max(365),
  default: 7,
});
