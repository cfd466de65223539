import type { Reply } from 'latchkey/plugin-api';

/** What was answered about a thing, for as long as it is the very same thing: the very same reply goes out as the very same bytes. */
export class KeptReplies {
  readonly #kept = new WeakMap<object, Map<string, Reply>>();

  find(thing: object, name: string, make: () => Reply): Reply {
    const replies = this.#kept.get(thing) ?? new Map<string, Reply>();
    this.#kept.set(thing, replies);
    const known = replies.get(name) ?? make();
    replies.set(name, known);
    return known;
  }
}
