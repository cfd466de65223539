import { z } from 'zod';
import { defineSetting, type SettingGroup } from '../settings/index.ts';

/** Who works at the desk comes in with a second factor only, and is led to one at the next sign-in. */
export const staffSecondFactor = defineSetting({
  id: 'identity.staff-second-factor',
  schema: z.boolean(),
  default: false,
});

export const identitySettings: SettingGroup = {
  id: 'identity',
  title: 'identity:settings.title',
  fields: [
    {
      token: staffSecondFactor,
      kind: 'flag',
      label: 'identity:settings.staff-second-factor',
      hint: 'identity:settings.staff-second-factor.hint',
    },
  ],
};
