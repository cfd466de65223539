import { defineFilter } from '../hooks/tokens.ts';
import type { VisibleMenu } from './menu.ts';

const since = '0.1.0';

export const pageModel = defineFilter<object, { template: string; actorId: string | null; locale: string }>({
  name: 'page.model',
  summary:
    'What a template is drawn with. Not asked for the pages that hundreds of visitors open at once: those are drawn once for all.',
  since,
  failure: 'open',
  budgetMs: 10,
});

export const menuVisible = defineFilter<VisibleMenu, { actorId: string | null; path: string }>({
  name: 'menu.visible',
  summary: 'Where somebody who is signed in may go: reorder it, take entries away.',
  since,
  failure: 'open',
  budgetMs: 10,
});
