import { z } from 'latchkey/plugin-api';
import type { Step } from './step.ts';

export const stepSchema = z.object({
  id: z.string(),
  phase: z.enum(['before', 'after']),
  everywhere: z.boolean(),
  position: z.int(),
  title: z.string(),
  body: z.string(),
  agreement: z.string(),
  edition: z.int(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});

export const stepJson = ({
  entityId: _entityId,
  createdAt,
  updatedAt,
  ...step
}: Step): z.infer<typeof stepSchema> => ({
  ...step,
  createdAt: new Date(createdAt).toISOString(),
  updatedAt: new Date(updatedAt).toISOString(),
});
