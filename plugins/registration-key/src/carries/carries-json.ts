import { z } from 'latchkey/plugin-api';
import { givenFields, questionKinds, type Carries, type CarriesDraft } from './carries.ts';

const given = z.strictObject({ value: z.string().max(500), fixed: z.boolean().default(false) });
const moment = z.iso.datetime({ offset: true, error: 'invitation.not_a_moment' });
const question = {
  label: z.string().max(500),
  kind: z.enum(questionKinds),
  options: z.array(z.string().max(200)).max(50).optional(),
  required: z.boolean().optional(),
};

/** What a key carries, as programs say it. On an edit, parts that are not said stay. */
export const carriesBody = z
  .strictObject({
    given: z.partialRecord(z.enum(givenFields), given).optional(),
    questions: z
      .array(z.strictObject({ ...question, name: z.string().max(60).optional() }))
      .max(50)
      .optional(),
    metadata: z.record(z.string().max(100), z.string().max(2000)).optional(),
    account: z
      .union([z.strictObject({ days: z.int() }), z.strictObject({ until: moment.transform(Date.parse) })])
      .nullable()
      .optional(),
    steps: z.array(z.string().max(64)).max(50).optional(),
  })
  .transform(
    (said) =>
      Object.fromEntries(Object.entries(said).filter(([, part]) => part !== undefined)) as CarriesDraft,
  );

export const carriesSchema = z.object({
  given: z.partialRecord(z.enum(givenFields), z.object({ value: z.string(), fixed: z.boolean() })),
  questions: z.array(
    z.object({
      name: z.string(),
      label: z.string(),
      kind: z.enum(questionKinds),
      options: z.array(z.string()),
      required: z.boolean(),
    }),
  ),
  metadata: z.record(z.string(), z.string()),
  account: z.union([z.object({ days: z.int() }), z.object({ until: z.iso.datetime() })]).nullable(),
  steps: z.array(z.string()),
});

export const carriesJson = ({ account, ...carries }: Carries): z.infer<typeof carriesSchema> => ({
  ...carries,
  account:
    account !== null && 'until' in account ? { until: new Date(account.until).toISOString() } : account,
});
