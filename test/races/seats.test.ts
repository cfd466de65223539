import { expect, test } from 'vitest';
import { describeOnEachEngine } from '../support/databases.ts';
import { Nodes, type Contender, type Outcome } from './nodes.ts';

const ROUNDS = Number(process.env['LATCHKEY_TEST_ROUNDS'] ?? 3);

const joined = (outcomes: readonly Outcome[]): Outcome[] =>
  outcomes.filter(({ result }) => result === 'joined');
const emailsOf = (people: readonly Contender[]): string[] => people.map(({ email }) => email).sort();

describeOnEachEngine('the seats of an invitation key, through two servers on one database', (engine) => {
  test.each([
    [1, 10],
    [10, 60],
  ])('%i of them go to that many of %i who come at once, and not to one more', async (seats, people) => {
    const nodes = await Nodes.on(engine);
    const [first, second] = await Promise.all([nodes.start(), nodes.start()]);

    for (let round = 0; round < ROUNDS; round += 1) {
      const { id, key } = await nodes.mint(first, seats);
      const contenders = nodes.newcomers(people);

      const outcomes = await nodes.storm([first, second], key, contenders);

      const accounts = await nodes.accountsOf(contenders);
      const others = outcomes.filter(({ result }) => result !== 'joined');
      expect(joined(outcomes)).toHaveLength(seats);
      expect(new Set(others.map(({ result }) => result))).toEqual(new Set(['invitation.used_up']));
      expect(joined(outcomes).map(({ email }) => accounts.get(email))).toEqual(Array(seats).fill(1));
      expect(others.map(({ email }) => accounts.get(email))).toEqual(Array(people - seats).fill(0));
      expect(await nodes.seatsOf(id)).toEqual({ uses: seats, people: seats });
    }
  });

  test('are taken once by somebody who sends the form ten times', async () => {
    const nodes = await Nodes.on(engine);
    const [first, second] = await Promise.all([nodes.start(), nodes.start()]);

    for (let round = 0; round < ROUNDS; round += 1) {
      const { id, key } = await nodes.mint(first, 5);
      const [impatient] = nodes.newcomers(1) as [Contender];

      const outcomes = await nodes.storm([first, second], key, Array<Contender>(10).fill(impatient));

      expect(joined(outcomes).length).toBeGreaterThan(0);
      expect(await nodes.accountsOf([impatient])).toEqual(new Map([[impatient.email, 1]]));
      expect(await nodes.seatsOf(id)).toEqual({ uses: 1, people: 1 });
    }
  });

  test('are kept by everybody who was told so when one server is killed in the middle', async () => {
    const nodes = await Nodes.on(engine);
    const survivor = await nodes.start();

    for (let round = 0; round < ROUNDS; round += 1) {
      const seats = 30;
      const victim = await nodes.start();
      const { id, key } = await nodes.mint(survivor, seats);
      const contenders = nodes.newcomers(40);
      let welcomed = 0;
      const killAfter = 3 + round;

      const outcomes = await nodes.storm([victim, survivor], key, contenders, ({ result }) => {
        welcomed += result === 'joined' ? 1 : 0;
        if (result === 'joined' && welcomed === killAfter) void victim.kill9();
      });

      const acknowledged = joined(outcomes);
      const accounts = await nodes.accountsOf(contenders);
      expect(outcomes.some(({ result }) => result === 'cut')).toBe(true);
      expect(acknowledged.map(({ email }) => accounts.get(email))).toEqual(acknowledged.map(() => 1));
      const { uses, people } = await nodes.seatsOf(id);
      expect(uses).toBe(people);
      expect(people).toBeLessThanOrEqual(seats);

      // Whoever got no answer asks again, with the same form: a seat they have already is theirs, the rest are still to be had.
      const again = await nodes.storm(
        [survivor],
        key,
        outcomes.filter(({ result }) => result === 'cut'),
      );

      const answers = new Set([...outcomes, ...again].map(({ result }) => result));
      expect(answers).toEqual(new Set(['joined', 'cut', 'invitation.used_up']));
      const owners = emailsOf([...acknowledged, ...joined(again)]);
      const held = [...(await nodes.accountsOf(contenders))].filter(([, count]) => count === 1);
      expect(owners).toEqual(held.map(([email]) => email).sort());
      expect(await nodes.seatsOf(id)).toEqual({ uses: held.length, people: held.length });
      expect(held.length).toBe(seats);
    }
  });
});
