import type Handlebars from 'handlebars';
import type { AssetStore } from './assets.ts';
import { chartHelpers } from './chart-helpers.ts';
import type { I18n } from './i18n.ts';
import { logicHelpers } from './logic-helpers.ts';
import { pageHelpers } from './page-helpers.ts';
import { textHelpers } from './text-helpers.ts';

export interface HelperDeps {
  i18n: I18n;
  assets: Pick<AssetStore, 'url'>;
  now: () => number;
}

/** All the words a template may use beside Handlebars' own. */
export function registerHelpers(handlebars: typeof Handlebars, deps: HelperDeps): void {
  const groups = [logicHelpers, textHelpers(deps), pageHelpers(deps), chartHelpers(deps)];
  for (const group of groups)
    for (const [name, helper] of Object.entries(group)) handlebars.registerHelper(name, helper);
}
