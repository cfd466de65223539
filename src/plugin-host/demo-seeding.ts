import { defineFilter } from '../hooks/index.ts';
import type { Actor } from '../shared/actor.ts';

/** What is there when a scene is played. */
export interface DemoScenery {
  administrator: Actor;
  /** What everybody in the demo signs in with. */
  password: string;
  entities: readonly { id: string; name: string }[];
  groups: readonly { id: string; name: string }[];
}

/** Something of a plugin's own that happens in the demo; `host.clock` stands at `at` while it is played. */
export interface DemoScene {
  at: number;
  play(scenery: DemoScenery): Promise<void>;
}

/** Somebody who joins later. Whom no plugin has let in by `before`, an administrator adds by hand. */
export interface DemoNewcomer {
  at: number;
  before: number;
  name: string;
  email: string;
  locale: string;
  /** The name of the entity they belong to. */
  entity: string;
}

export interface DemoPeriod {
  from: number;
  until: number;
  newcomers: readonly DemoNewcomer[];
}

export const demoSeeding = defineFilter<DemoScene[], DemoPeriod>({
  name: 'demo.seeding',
  summary:
    'What a plugin adds to the story that `latchkey seed demo` tells. Only say here what is to happen, and when.',
  since: '0.1.0',
  failure: 'open',
  budgetMs: 20,
});
