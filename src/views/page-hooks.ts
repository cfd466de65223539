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

/** How a house shows itself beside its name. */
export interface Brand {
  /** A path of ours, with a version in it: browsers keep it. */
  logo?: string | undefined;
  /** A style sheet of ours after all others; it sets the `--lk-*` of `theme.css` again. */
  stylesheet?: string | undefined;
  /** For mails, which have no style sheet: fill and letters of a button by day and by night, as `#0e6f6b`. */
  accent?: { light: string; onLight: string; dark: string; onDark: string } | undefined;
}

export const pageBrand = defineFilter<Brand, object>({
  name: 'page.brand',
  summary:
    'Logo and colours of the house, on every page and mail. Answer from memory: the join pages ask too.',
  since,
  failure: 'open',
  budgetMs: 5,
});

export const menuVisible = defineFilter<VisibleMenu, { actorId: string | null; path: string }>({
  name: 'menu.visible',
  summary: 'Where somebody who is signed in may go: reorder it, take entries away.',
  since,
  failure: 'open',
  budgetMs: 10,
});
