import { z } from 'zod';

/** The part of JSON Schema that a form can ask for: an object of plain values, each with its default. */
const property = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('string'),
    enum: z.array(z.string().min(1)).min(1).optional(),
    maxLength: z.int().positive().optional(),
    default: z.string().default(''),
    'x-secret': z.boolean().default(false).describe('Kept sealed, and never shown again.'),
    title: z.string().optional().describe('A text of the plugin; `settings.<name>` unless said.'),
    description: z.string().optional().describe('A text of the plugin, shown below.'),
  }),
  z.strictObject({
    type: z.enum(['number', 'integer']),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    default: z.number(),
    title: z.string().optional(),
    description: z.string().optional(),
  }),
  z.strictObject({
    type: z.literal('boolean'),
    default: z.boolean(),
    title: z.string().optional(),
    description: z.string().optional(),
  }),
]);

export const settingsSchema = z.strictObject({
  $schema: z.string().optional(),
  type: z.literal('object'),
  properties: z.record(
    z
      .string()
      .regex(/^[a-z][A-Za-z0-9-]*$/)
      .max(64),
    property,
  ),
});

type Property = z.output<typeof property>;

/** The same as a list, as the rest of the house knows settings. */
export const settingsFrom = ({ properties }: z.output<typeof settingsSchema>): object[] =>
  Object.entries(properties).map(([name, facts]) => ({
    name,
    ...(facts.title === undefined ? {} : { label: facts.title }),
    ...(facts.description === undefined ? {} : { hint: facts.description }),
    ...kindOf(facts),
  }));

function kindOf(facts: Property): object {
  switch (facts.type) {
    case 'string':
      return facts.enum
        ? { type: 'choice', choices: facts.enum, default: facts.default || facts.enum[0] }
        : {
            type: 'string',
            default: facts.default,
            secret: facts['x-secret'],
            ...(facts.maxLength === undefined ? {} : { maxLength: facts.maxLength }),
          };
    case 'boolean':
      return { type: 'boolean', default: facts.default };
    case 'number':
    case 'integer':
      return {
        type: 'number',
        default: facts.default,
        ...(facts.minimum === undefined ? {} : { min: facts.minimum }),
        ...(facts.maximum === undefined ? {} : { max: facts.maximum }),
      };
  }
}
