import type { Actor } from '../shared/actor.ts';
import type { Flash } from './reply.ts';
import type { SessionInfo } from './route.ts';

/** What a page needs to know beside its own model. */
export interface PageFacts {
  actor: Actor;
  session: SessionInfo | null;
  locale: string;
  nonce: string;
  csrf: string;
  flash: Flash | null;
  path: string;
  url: string;
  origin: string;
  fragment: boolean;
  requestId: string;
}

/** Turns a template and its model into HTML, with the menu, the slots and the layout; made in `compose.ts`. */
export interface PageRenderer {
  page(
    template: string,
    model: object,
    facts: PageFacts,
    fresh?: Readonly<Record<string, string>>,
  ): Promise<string>;
  /** The same for a visitor of a page that is drawn once for all: UTF-8, a character for each byte. */
  shared(
    template: string,
    model: object,
    facts: PageFacts,
    fresh: Readonly<Record<string, string>>,
  ): Promise<string>;
}
