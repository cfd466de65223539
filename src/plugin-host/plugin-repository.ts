import type { Queryable, Tx } from '../db/database.ts';
import { defineTable, instant, json, nullable, oneOf, text } from '../db/table.ts';

/** What administrators want of a plugin, everywhere. */
const states = defineTable('plugin_state', {
  id: text,
  desired: oneOf('enabled', 'disabled'),
  version: text,
  /** Hooks it listened to when it last ran. */
  guards: json<string[]>(),
  firstSeenAt: instant,
  changedAt: instant,
  changedBy: text,
  /** The release in use, where it was installed from a package, and the one before it. */
  chosen: nullable(text),
  previous: nullable(text),
  /** While a new version is tried on one node, the others keep the one before: the node, and until when. */
  watchedOn: nullable(text),
  watchedUntil: nullable(instant),
  /** Servers that have the new version already; the others come one by one. Null while none is on its way. */
  rolledTo: nullable(json<string[]>()),
  /** Since when the version in use is everybody's. */
  rolledOutAt: nullable(instant),
  /** The plugin with which it was disabled: it comes back with that one. */
  disabledWith: nullable(text),
});
export type PluginState = ReturnType<typeof states.decode>;
export const decodeState = states.decode;

/** What one node has made of it. */
const nodes = defineTable('plugin_node', {
  node: text,
  pluginId: text,
  version: text,
  state: oneOf('enabled', 'disabled', 'failed', 'quarantined', 'safe-mode'),
  step: nullable(oneOf('manifest', 'fetch', 'order', 'contribute', 'import', 'migrate', 'setup', 'running')),
  error: nullable(text),
  changedAt: instant,
  seenAt: instant,
});
export type PluginNode = ReturnType<typeof nodes.decode>;
export type ActualState = PluginNode['state'];
export type Step = NonNullable<PluginNode['step']>;

export async function listStates(db: Queryable): Promise<PluginState[]> {
  return (await db.knex(states.name).orderBy('id')).map(states.decode);
}

/** Two nodes may see a plugin for the first time together. */
export async function insertState(tx: Tx, state: PluginState): Promise<void> {
  await tx.knex(states.name).insert(states.encode(state)).onConflict('id').ignore();
}

export async function setDesired(
  tx: Tx,
  ids: readonly string[],
  { desired, at, by }: { desired: PluginState['desired']; at: number; by: string },
): Promise<void> {
  await tx
    .knex(states.name)
    .whereIn('id', ids)
    .update(states.encode({ desired, changedAt: at, changedBy: by }));
}

/** Nobody wants anything of it yet. */
export const newcomer = (
  id: string,
  { at, by, desired = 'disabled', version = '' }: { at: number; by: string } & Partial<PluginState>,
): PluginState => ({
  id,
  desired,
  version,
  guards: [],
  firstSeenAt: at,
  changedAt: at,
  changedBy: by,
  chosen: null,
  previous: null,
  watchedOn: null,
  watchedUntil: null,
  rolledTo: null,
  rolledOutAt: null,
  disabledWith: null,
});

/** The one pointer that an installation, an update or a way back moves. */
export type Pointer = Pick<PluginState, 'chosen' | 'previous'> &
  Partial<Pick<PluginState, 'watchedOn' | 'watchedUntil' | 'rolledTo' | 'rolledOutAt'>>;

export async function setChosen(tx: Tx, id: string, pointer: Pointer): Promise<void> {
  const usual = { watchedOn: null, watchedUntil: null, rolledTo: null, rolledOutAt: null };
  await tx
    .knex(states.name)
    .where({ id })
    .update(states.encode({ ...usual, ...pointer }));
}

/** True once for each trouble, until what is wanted of the plugin has changed or some time has gone by. */
export async function noteTrouble(
  tx: Tx,
  id: string,
  { what, now, notSince }: { what: string; now: number; notSince: number },
): Promise<boolean> {
  const changed = await tx
    .knex(states.name)
    .where({ id })
    .where((told) => {
      void told
        .whereNull('told_at')
        .orWhere('told_of', '<>', what)
        .orWhere('told_at', '<=', notSince)
        .orWhere('told_at', '<', tx.knex.ref('changed_at'));
    })
    .update({ told_of: what, told_at: now });
  return changed === 1;
}

/** The watch ends, or goes over to the next server. Only the one who still finds it so may say. */
export async function moveWatch(
  tx: Tx,
  { id, chosen, watchedOn }: Pick<PluginState, 'id' | 'chosen' | 'watchedOn'>,
  pointer: Partial<Pointer>,
): Promise<boolean> {
  const changed = await tx
    .knex(states.name)
    .where({ id, chosen, watched_on: watchedOn })
    .update(states.encode(pointer));
  return changed === 1;
}

export async function setDisabledWith(
  tx: Tx,
  ids: readonly string[],
  provider: string | null,
): Promise<void> {
  await tx
    .knex(states.name)
    .whereIn('id', ids)
    .update(states.encode({ disabledWith: provider }));
}

export async function setRunning(
  tx: Tx,
  id: string,
  { version, guards }: Pick<PluginState, 'version' | 'guards'>,
): Promise<void> {
  await tx.knex(states.name).where({ id }).update(states.encode({ version, guards }));
}

/** Nodes that have been heard of lately. */
export async function listNodes(db: Queryable, { seenAfter }: { seenAfter: number }): Promise<PluginNode[]> {
  return (await db.knex(nodes.name).where('seen_at', '>', seenAfter).orderBy('node')).map(nodes.decode);
}

export async function replaceNode(tx: Tx, node: string, rows: readonly PluginNode[]): Promise<void> {
  await tx.knex(nodes.name).where({ node }).delete();
  if (rows.length > 0) await tx.knex(nodes.name).insert(rows.map((row) => nodes.encode(row)));
}

/** False when nobody has heard of it for so long that it was taken out. */
export async function touchNode(
  tx: Tx,
  node: string,
  { at, forgetBefore }: { at: number; forgetBefore: number },
): Promise<boolean> {
  const touched = await tx.knex(nodes.name).where({ node }).update({ seen_at: at });
  await tx.knex(nodes.name).where('seen_at', '<', forgetBefore).delete();
  return touched > 0;
}
