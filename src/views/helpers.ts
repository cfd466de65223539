import type Handlebars from 'handlebars';
import { chartHelpers } from './chart-helpers.ts';
import type { HelperDeps } from './helper-call.ts';
import { logicHelpers } from './logic-helpers.ts';
import { pageHelpers } from './page-helpers.ts';
import { textHelpers } from './text-helpers.ts';

/** All the words a template may use beside Handlebars' own. */
export function registerHelpers(handlebars: typeof Handlebars, deps: HelperDeps): void {
  const groups = [logicHelpers, textHelpers(deps), pageHelpers(deps), chartHelpers(deps)];
  for (const group of groups)
    for (const [name, helper] of Object.entries(group)) handlebars.registerHelper(name, helper);
}
