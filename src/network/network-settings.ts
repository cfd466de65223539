import { z } from 'zod';
import { defineSetting } from '../settings/index.ts';

/** Where the hub is reached, without a slash at its end; empty while there is none. */
export const hubUrl = defineSetting({
  id: 'network.hubUrl',
  schema: z.union([
    z.literal(''),
    z
      .url({ protocol: /^https?$/ })
      .max(300)
      .refine((text) => {
        const { username, password, search, hash } = new URL(text);
        return [username, password, search, hash].every((part) => part === '');
      })
      .transform((text) => new URL(text).href.replace(/\/+$/, '')),
  ]),
  default: '',
});

/** The one address of this machine, scheme and port too, that an administrator lets us call as a hub. */
export const hubOnThisMachine = defineSetting({
  id: 'network.hubOnThisMachine',
  schema: z.string().max(300),
  default: '',
});
