import type { z } from 'zod';
import type { ApiFacts } from '../http/route.ts';

/** The one good answer of a call, as OpenAPI says it; refusals are the same everywhere. */
export const answers = (status: number, description: string, schema?: z.ZodType): ApiFacts['responses'] => ({
  [status]: schema ? { description, schema } : { description },
});
