import type { Queryable } from 'latchkey/plugin-api';
import type { Redemption } from '../seats/redemption.ts';
import { listTakenBy, titlesOf } from '../steps/step-repository.ts';
import { answersOf } from './answer-repository.ts';
import type { Answered } from './carried-fields.ts';

export interface Agreed {
  step: string;
  edition: number;
  title: string;
  at: number;
}

export interface Said {
  answers: Answered[];
  agreed: Agreed[];
}

/** What people answered and agreed to on their way in, by seat. */
export async function saidOnTheWay(
  db: Queryable,
  keyId: string,
  redemptions: readonly Pick<Redemption, 'seat' | 'userId'>[],
): Promise<Map<number, Said>> {
  const answers = await answersOf(
    db,
    keyId,
    redemptions.map(({ seat }) => seat),
  );
  const people = redemptions.flatMap(({ userId }) => (userId === null ? [] : [userId]));
  const taken = await listTakenBy(db, keyId, people);
  const titles = await titlesOf(
    db,
    taken.map(({ step }) => step),
  );
  return new Map(
    redemptions.map(({ seat, userId }) => [
      seat,
      {
        answers: answers.get(seat) ?? [],
        agreed: taken
          .filter((one) => userId !== null && one.userId === userId)
          .map(({ step, edition, at }) => ({ step, edition, title: titles.get(step) ?? step, at })),
      },
    ]),
  );
}
