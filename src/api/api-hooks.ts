import { defineFilter } from '../hooks/tokens.ts';
import type { OpenApi } from './openapi.ts';

export const apiDocument = defineFilter<OpenApi>({
  name: 'api.document',
  summary: 'The OpenAPI document before it is handed out.',
  since: '0.1.0',
  failure: 'open',
  budgetMs: 100,
});
