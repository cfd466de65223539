import { customAlphabet } from 'nanoid';
import type { IdentityServices } from '../identity/index.ts';
import { ConflictError, InvalidInputError } from '../shared/errors.ts';
import type { Command, CommandContext } from './command.ts';
import type { DemoHouse } from './seed/demo-house.ts';
import { seedDemo, STORY_DAYS } from './seed/seed-demo.ts';
import { StoryClock } from './seed/story.ts';
import { DAY, dayOf } from './seed/working-hours.ts';

interface Deps extends Pick<IdentityServices, 'users' | 'userAdmin'> {
  /** The same house once more, run by this clock and without mail. */
  openHouse(clock: StoryClock): Promise<DemoHouse & { close(): Promise<void> }>;
}

const randomPassword = customAlphabet('23456789abcdefghjkmnpqrstuvwxyz', 16);

export const seedCommands = (deps: Deps): Command[] => [
  {
    name: 'seed demo',
    summary: `Fills an empty database with an organisation and ${String(STORY_DAYS)} days of its helpdesk, to look around in`,
    options: [
      {
        flags: '--until <date>',
        description: 'the day on which the story ends, e.g. 2026-11-21; today unless said',
      },
      { flags: '--force', description: 'add it to the people and tickets that are there' },
      {
        flags: '--password-stdin',
        description: 'read the password of everybody in it from standard input; a random one unless said',
      },
    ],
    run: async (context) => {
      const { actor, options, print } = context;
      const until = endFrom(options['until']);
      const password = await passwordFrom(deps, context);
      if (options['force'] !== true) await assertEmpty(deps, context);
      const house = await deps.openHouse(new StoryClock(until - STORY_DAYS * DAY));
      try {
        const { signIn, ...summary } = await seedDemo(house, { founder: actor, password, until });
        // Whoever brought it knows it.
        const told = options['passwordStdin'] === true ? {} : { password };
        if (options['json'] === true) {
          print({ ...summary, signIn, ...told });
          return;
        }
        print(summary);
        print(signIn);
        if (told.password !== undefined) print(`Everybody’s password: ${told.password}`);
      } finally {
        await house.close();
      }
    },
  },
];

async function assertEmpty({ userAdmin }: Deps, { actor }: CommandContext): Promise<void> {
  const { total } = await userAdmin.list(actor, {}, { page: 1, perPage: 1 });
  if (total > 0) throw new ConflictError('seed.not-empty');
}

async function passwordFrom({ users }: Deps, { options, readStdin }: CommandContext): Promise<string> {
  if (options['passwordStdin'] !== true) return randomPassword();
  const password = await readStdin();
  users.checkPassword({ email: '', name: '' }, password);
  return password;
}

function endFrom(said: string | boolean | undefined): number {
  if (typeof said !== 'string') return dayOf(Date.now());
  const at = /^\d{4}-\d{2}-\d{2}$/.test(said) ? Date.parse(said) : Number.NaN;
  if (Number.isNaN(at)) throw new InvalidInputError('seed.until', { params: { date: said } });
  return at;
}
