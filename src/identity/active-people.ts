import type { Queryable } from '../db/database.ts';
import { findUsers } from './user-repository.ts';
import { factsOf, type PersonFacts } from './user.ts';

/** Those of `ids` who may still be written to; reads with `db`, which may be an open transaction. */
export async function activePeople(db: Queryable, ids: readonly string[]): Promise<PersonFacts[]> {
  const users = await findUsers(db, [...ids]);
  return users.filter(({ status }) => status === 'active').map(factsOf);
}
