import type { CatalogueEntry, Hooks } from '../hooks/index.ts';
import { NotFoundError } from '../shared/errors.ts';
import type { Command } from './command.ts';

/** Where plugins may join in, and who does, in the order in which they are asked. */
export function hookCommands(hooks: Pick<Hooks, 'catalogue'>): Command[] {
  return [
    {
      name: 'hooks',
      summary: 'Every hook there is and who listens to it; with a name, all that is known of that one',
      args: '[name]',
      run: ({ args: [name], options, print }) => {
        const entries = hooks.catalogue().map(factsOf);
        const one = entries.find((entry) => entry.name === name);
        if (name !== undefined && !one) throw new NotFoundError('hook.not-found', { params: { hook: name } });
        if (one) print(one);
        else print(options['json'] === true ? entries : entries.map(lineOf));
        return Promise.resolve();
      },
    },
  ];
}

type HookLine = Pick<
  CatalogueEntry,
  'name' | 'kind' | 'summary' | 'since' | 'failure' | 'budgetMs' | 'listeners' | 'missing' | 'contradicting'
>;

const factsOf = (entry: CatalogueEntry): HookLine => ({
  name: entry.name,
  kind: entry.kind,
  summary: entry.summary,
  since: entry.since,
  failure: entry.failure,
  budgetMs: entry.budgetMs,
  listeners: entry.listeners,
  missing: entry.missing,
  contradicting: entry.contradicting,
});

/** For a screen: names only, in their order. */
const lineOf = ({ listeners, missing, summary, ...entry }: HookLine): Record<string, unknown> => ({
  name: entry.name,
  kind: entry.kind,
  since: entry.since,
  failure: entry.failure,
  budgetMs: entry.budgetMs,
  listeners: [
    ...listeners.map(({ owner }) => owner),
    ...missing.map((owner) => `${owner} (not running)`),
  ].join(', '),
  summary,
});
