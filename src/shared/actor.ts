/**
 * Who is doing this. Every use case takes it first and asks it before touching anything.
 * Web, REST, CLI, jobs and plugins all make one, so that there is one set of rights.
 */
export interface Actor {
  readonly kind: 'user' | 'guest' | 'system' | 'cli';
  /** Null for guests, the system itself and the CLI. */
  readonly userId: string | null;
  /** For the audit log and for people: `Marie Dupont`, `cli:root`, `system`. */
  readonly name: string;
  readonly locale: string;
  /** Whether `right` (e.g. `ticket.read`) is granted in this entity, directly or from an ancestor. Without an entity: anywhere. */
  can(right: string, entityId?: string): boolean;
  /** The entities in which `right` is granted: `'all'`, or their ids. Lists filter by it. */
  entitiesWith(right: string): 'all' | readonly string[];
}

const nobodyMay = { can: () => false, entitiesWith: () => [] };
const everythingGoes = { can: () => true, entitiesWith: () => 'all' as const };

/** A visitor who has not signed in. */
export const guest = (locale: string): Actor => ({
  kind: 'guest',
  userId: null,
  name: 'guest',
  locale,
  ...nobodyMay,
});

/** The house itself: jobs, the outbox, migrations. */
export const system: Actor = {
  kind: 'system',
  userId: null,
  name: 'system',
  locale: 'en',
  ...everythingGoes,
};

/** Whoever may run the command line on the server may do everything; the audit log says who it was. */
export const cliActor = (osUser: string): Actor => ({
  kind: 'cli',
  userId: null,
  name: `cli:${osUser}`,
  locale: 'en',
  ...everythingGoes,
});
