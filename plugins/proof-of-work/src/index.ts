import { defineFilter, definePlugin, defineVeto, TooManyError, type Host } from 'latchkey/plugin-api';
import { Challenges, type Challenge } from './challenges.ts';
import { isSolved } from './puzzle.ts';

/** The invitation plugin asks; the same names are the same hooks. */
interface CheckContext {
  keyId: string;
  binding: string;
  isProvenLater: boolean;
}
type Answers = Readonly<Record<string, string>>;

const since = '0.1.0';
const joinChecks = defineFilter<
  { provider: string; challenge: Record<string, string | number> }[],
  CheckContext
>({
  name: 'registration-key.join-checks',
  summary: 'Checks that keep machines out of the join form.',
  since,
  failure: 'closed',
  budgetMs: 50,
});
const joinCheck = defineVeto<CheckContext & { answers: Answers; network: string }>({
  name: 'registration-key.join-check',
  summary: 'Whether the answers to the checks are right.',
  since,
  failure: 'closed',
  budgetMs: 2000,
});

/** Whoever has no scripts waits this long instead, and proves the address afterwards. */
const WAIT_MS = 15_000;
const WITHOUT_SCRIPTS = { name: 'without-scripts', points: 5, perSeconds: 3600 };

/** A moment of work by the newcomer's own machine, and no third party. */
export default definePlugin((host: Host) => {
  const challenges = new Challenges(host);
  const difficulty = (): Promise<number> => host.settings.get<number>('difficulty');

  host.filter(joinChecks, async (checks, context) => {
    const made = challenges.make(context, await difficulty());
    const challenge = { 'check-challenge': made.text, difficulty: made.difficulty };
    return [...checks, { provider: host.plugin.id, challenge }];
  });

  host.slot<CheckContext & { answers: Answers }>(
    'registration-key.join-check',
    `${host.plugin.id}/check`,
    async (context) => {
      const challenge = (await waiting(context)) ?? challenges.make(context, await difficulty());
      return {
        challenge: challenge.text,
        difficulty: challenge.difficulty,
        seconds: WAIT_MS / 1000,
        mayWait: context.isProvenLater && (await mayWait()),
      };
    },
  );

  host.veto(joinCheck, async ({ answers, network, ...context }) => {
    const challenge = challenges.read(answers['check-challenge'] ?? '', context);
    if (challenge === null) return { code: 'proof-of-work.again' };
    const answer = answers['check-answer'] ?? '';
    const problem =
      answer === ''
        ? await waited(challenge, { ...context, network })
        : isSolved(challenge.text, challenge.difficulty, answer)
          ? null
          : 'proof-of-work.wrong';
    if (problem !== null) return { code: problem };
    return (await challenges.spend(challenge)) ? null : { code: 'proof-of-work.again' };
  });

  host.job('forget-spent', () => challenges.forgetSpent());

  /** The challenge that came back with a form: whoever waits does not begin anew. */
  async function waiting({
    answers,
    ...context
  }: CheckContext & { answers: Answers }): Promise<Challenge | null> {
    const sent = challenges.read(answers['check-challenge'] ?? '', context);
    return sent !== null && (answers['check-answer'] ?? '') === '' && !(await challenges.isSpent(sent))
      ? sent
      : null;
  }

  const mayWait = async (): Promise<boolean> =>
    (await host.settings.get<string>('withoutScripts')) === 'wait';

  /** Without scripts: a wait, a few an hour, and only where somebody or a mailbox has the last word. */
  async function waited(
    { issuedAt }: Challenge,
    { isProvenLater, network }: { isProvenLater: boolean; network: string },
  ): Promise<string | null> {
    if (!isProvenLater || !(await mayWait())) return 'proof-of-work.needs-scripts';
    if (host.clock.now() < issuedAt + WAIT_MS) return 'proof-of-work.wait';
    try {
      await host.limits.count(WITHOUT_SCRIPTS, network);
      return null;
    } catch (error) {
      if (error instanceof TooManyError) return 'proof-of-work.needs-scripts';
      throw error;
    }
  }
});
