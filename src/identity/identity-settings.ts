import { z } from 'zod';
import { defineSetting, type SettingGroup } from '../settings/index.ts';

/** Who works at the desk comes in with a second factor only, and is led to one at the next sign-in. */
export const staffSecondFactor = defineSetting({
  id: 'identity.staff-second-factor',
  schema: z.boolean(),
  default: false,
});

/** What a licence or an organisation allows; empty is without limit. Nobody is closed out by lowering it. */
export const mostAccounts = defineSetting<number | null>({
  id: 'identity.most-accounts',
  schema: z
    .int()
    .min(1)
    .max(10_000_000)
    .nullish()
    .transform((most) => most ?? null),
  default: null,
});

/** Off: only who comes through a provider is let in. `latchkey sign-in local on` is the way back. */
export const localSignIn = defineSetting({
  id: 'identity.local-sign-in',
  schema: z.boolean(),
  default: true,
});

type MayChange = NonNullable<SettingGroup['fields'][number]['assertMay']>;

export const identitySettings = (mayCloseLocalSignIn: MayChange): SettingGroup => ({
  id: 'identity',
  title: 'identity:settings.title',
  fields: [
    {
      token: localSignIn,
      kind: 'flag',
      label: 'providers:settings.local',
      hint: 'providers:settings.local.hint',
      assertMay: mayCloseLocalSignIn,
    },
    {
      token: staffSecondFactor,
      kind: 'flag',
      label: 'identity:settings.staff-second-factor',
      hint: 'identity:settings.staff-second-factor.hint',
    },
    {
      token: mostAccounts,
      kind: 'number',
      label: 'accounts:settings.most',
      hint: 'accounts:settings.most.hint',
    },
  ],
});
