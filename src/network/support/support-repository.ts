import type { Queryable, Tx } from '../../db/database.ts';
import { defineTable, flag, instant, nullable, oneOf, text, whole } from '../../db/table.ts';
import {
  messageKinds,
  messageStates,
  requestStates,
  type SupportFile,
  type SupportMessage,
  type SupportRequest,
} from './support.ts';

const requests = defineTable('support_request', {
  id: text,
  hub: text,
  title: text,
  plugin: nullable(text),
  ticket: nullable(whole),
  diagnostics: text,
  openedBy: nullable(text),
  openedByName: text,
  openedAt: instant,
  reference: nullable(text),
  status: oneOf(...requestStates),
  version: whole,
  isLost: flag,
  updatedAt: instant,
  lookAt: instant,
});
const messages = defineTable('support_message', {
  id: text,
  requestId: text,
  place: whole,
  kind: oneOf(...messageKinds),
  remoteId: nullable(text),
  authorId: nullable(text),
  authorName: text,
  body: text,
  writtenAt: instant,
  state: oneOf(...messageStates),
  tries: whole,
  nextAt: instant,
  problem: nullable(text),
  detail: nullable(text),
});
const files = defineTable('support_file', {
  id: text,
  messageId: text,
  remoteId: nullable(text),
  name: text,
  mediaType: text,
  size: whole,
  storageKey: nullable(text),
  problem: nullable(text),
  tries: whole,
  nextAt: instant,
});

type Row = Record<string, unknown>;
const MOST_LISTED = 200;
const MOST_PENDING = 500;
const MOST_LOOKED = 100;

export async function listRequests(db: Queryable): Promise<SupportRequest[]> {
  const rows = (await db.knex(requests.name).orderBy('updated_at', 'desc').limit(MOST_LISTED)) as Row[];
  return rows.map(requests.decode);
}

export async function listRequestsOf(db: Queryable, ticket: number): Promise<SupportRequest[]> {
  const rows = (await db.knex(requests.name).where({ ticket }).orderBy('id').limit(MOST_LISTED)) as Row[];
  return rows.map(requests.decode);
}

export async function findRequest(db: Queryable, id: string): Promise<SupportRequest | null> {
  const row = (await db.knex(requests.name).where({ id }).first()) as Row | undefined;
  return row ? requests.decode(row) : null;
}

export async function insertRequest(tx: Tx, request: SupportRequest): Promise<void> {
  await tx.knex(requests.name).insert(requests.encode(request));
}

export async function changeRequest(
  tx: Tx,
  id: string,
  change: Partial<Omit<SupportRequest, 'id'>>,
): Promise<void> {
  await tx.knex(requests.name).where({ id }).update(requests.encode(change));
}

/** Of this hub, and time to ask about. */
export async function listDueRequests(db: Queryable, hub: string, now: number): Promise<SupportRequest[]> {
  const due = db.knex(requests.name).where({ hub }).where('look_at', '<=', now).whereNotNull('reference');
  return ((await due.orderBy('look_at').limit(MOST_LOOKED)) as Row[]).map(requests.decode);
}

export async function listMessages(db: Queryable, requestId: string): Promise<SupportMessage[]> {
  const rows = (await db
    .knex(messages.name)
    .where({ request_id: requestId })
    .orderBy(['place', 'id'])) as Row[];
  return rows.map(messages.decode);
}

/** What has not arrived yet, oldest first. */
export async function listPending(db: Queryable, hub: string): Promise<SupportMessage[]> {
  const rows = (await db
    .knex(messages.name)
    .select(messages.columns)
    .join(requests.name, `${requests.name}.id`, `${messages.name}.request_id`)
    .where(`${requests.name}.hub`, hub)
    .whereIn(`${messages.name}.state`, ['waiting', 'sent', 'refused'])
    .orderBy([`${messages.name}.request_id`, `${messages.name}.place`, `${messages.name}.id`])
    .limit(MOST_PENDING)) as Row[];
  return rows.map(messages.decode);
}

/** After all that was said before. */
export async function insertMessage(tx: Tx, message: Omit<SupportMessage, 'place'>): Promise<void> {
  const last = (await tx
    .knex(messages.name)
    .where({ request_id: message.requestId })
    .max({ place: 'place' })
    .first()) as Row | undefined;
  const place = Number(last?.['place'] ?? 0) + 1;
  await tx.knex(messages.name).insert(messages.encode({ ...message, place }));
}

/** One process of the cluster sends it. */
export async function claimMessage(
  tx: Tx,
  { id, tries, nextAt }: SupportMessage,
  { until }: { until: number },
): Promise<boolean> {
  const claimed = await tx
    .knex(messages.name)
    .where({ id, tries, next_at: nextAt })
    .whereIn('state', ['waiting', 'sent'])
    .update(messages.encode({ state: 'sent', tries: tries + 1, nextAt: until }));
  return claimed === 1;
}

export async function changeMessage(
  tx: Tx,
  id: string,
  change: Partial<Pick<SupportMessage, 'state' | 'nextAt' | 'problem' | 'detail'>>,
): Promise<void> {
  await tx.knex(messages.name).where({ id }).update(messages.encode(change));
}

/** What waits or was refused goes at once. */
export async function hurryMessages(tx: Tx, requestId: string, now: number): Promise<void> {
  await tx
    .knex(messages.name)
    .where({ request_id: requestId })
    .whereIn('state', ['waiting', 'refused'])
    .update(messages.encode({ state: 'waiting', nextAt: now }));
}

export async function isReceived(db: Queryable, requestId: string, remoteId: string): Promise<boolean> {
  const row: unknown = await db
    .knex(messages.name)
    .where({ request_id: requestId, remote_id: remoteId })
    .first('id');
  return row !== undefined;
}

export async function listFiles(db: Queryable, messageIds: readonly string[]): Promise<SupportFile[]> {
  const rows = (await db
    .knex(files.name)
    .whereIn('message_id', [...messageIds])
    .orderBy('id')) as Row[];
  return rows.map(files.decode);
}

export async function findFile(db: Queryable, id: string): Promise<SupportFile | null> {
  const row = (await db.knex(files.name).where({ id }).first()) as Row | undefined;
  return row ? files.decode(row) : null;
}

export async function insertFile(tx: Tx, file: SupportFile): Promise<void> {
  await tx.knex(files.name).insert(files.encode(file));
}

export async function changeFile(tx: Tx, id: string, change: Partial<SupportFile>): Promise<void> {
  await tx.knex(files.name).where({ id }).update(files.encode(change));
}

/** Files of the vendor's that are not here yet, with the request they belong to. */
export async function listDueFiles(
  db: Queryable,
  hub: string,
  now: number,
): Promise<{ file: SupportFile; requestId: string }[]> {
  const rows = (await db
    .knex(files.name)
    .select([...files.columns, `${messages.name}.request_id`])
    .join(messages.name, `${messages.name}.id`, `${files.name}.message_id`)
    .join(requests.name, `${requests.name}.id`, `${messages.name}.request_id`)
    .where(`${requests.name}.hub`, hub)
    .where(`${files.name}.next_at`, '<=', now)
    .whereNull(`${files.name}.storage_key`)
    .orderBy(`${files.name}.id`)
    .limit(MOST_LOOKED)) as Row[];
  return rows.map((row) => ({ file: files.decode(row), requestId: String(row['request_id']) }));
}

export async function renameAuthor(tx: Tx, userId: string, name: string): Promise<void> {
  await tx.knex(messages.name).where({ author_id: userId }).update({ author_name: name });
  await tx.knex(requests.name).where({ opened_by: userId }).update({ opened_by_name: name });
}
