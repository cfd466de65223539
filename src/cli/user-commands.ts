import type { IdentityServices, PersonFacts } from '../identity/index.ts';
import { ROOT_ENTITY_ID } from '../identity/index.ts';
import type { Database } from '../db/database.ts';
import { setupCompletedAt, type SettingsService } from '../settings/index.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { InvalidInputError, NotFoundError } from '../shared/errors.ts';
import type { Command, CommandContext } from './command.ts';

interface Deps extends Pick<IdentityServices, 'users' | 'memberships' | 'userAdmin'> {
  db: Database;
  clock: Clock;
  settings: SettingsService;
}

const OWNER = 'super-admin';

/** Accounts from the command line: also the way back in when nobody can sign in any more. */
export function userCommands(deps: Deps): Command[] {
  const { db, users, userAdmin } = deps;
  return [
    {
      name: 'user create',
      summary: 'Makes an account that can sign in at once',
      options: [
        { flags: '--email <email>', description: 'address to sign in with' },
        { flags: '--name <name>', description: 'as others see it' },
        { flags: '--profile <key>', description: 'what they may do', default: 'self-service' },
        { flags: '--entity <id>', description: 'where; everywhere unless said' },
        { flags: '--locale <language>', description: 'en or fr', default: 'en' },
        {
          flags: '--password-stdin',
          description: 'read the password from standard input; without it they have none yet',
        },
      ],
      run: async (context) => {
        const { print } = context;
        const { id, email } = await createUser(deps, context);
        print({ id, email });
      },
    },
    {
      name: 'user list',
      summary: 'Accounts by name, fifty at a time',
      options: [
        { flags: '--search <words>', description: 'in names and addresses' },
        { flags: '--page <number>', description: 'which fifty', default: '1' },
      ],
      run: async ({ actor, options, print }) => {
        const page = pageFrom(text(options['page']));
        const { items } = await userAdmin.list(
          actor,
          { search: text(options['search']) },
          { page, perPage: 50 },
        );
        print(items.map(({ id, number, email, name, status }) => ({ id, number, email, name, status })));
      },
    },
    {
      name: 'user disable',
      summary: 'Ends an account’s sessions and tokens and lets it sign in no more',
      args: '<email>',
      run: async ({ actor, args, print }) => {
        const { id, email } = await personCalled(deps, args[0]);
        await db.transaction((tx) => users.disable(tx, actor, id));
        print({ id, email, status: 'disabled' });
      },
    },
    {
      name: 'user enable',
      summary: 'Lets a disabled account sign in again',
      args: '<email>',
      run: async ({ actor, args, print }) => {
        const { id, email } = await personCalled(deps, args[0]);
        await db.transaction((tx) => users.enable(tx, actor, id));
        print({ id, email, status: 'active' });
      },
    },
    {
      name: 'user reset-password',
      summary: 'Sets a password, read from standard input, and ends every session',
      args: '<email>',
      options: [{ flags: '--password-stdin', description: 'said so that nobody waits for a prompt' }],
      run: async ({ actor, args, readStdin, print }) => {
        const { id, email } = await personCalled(deps, args[0]);
        await users.setPassword(actor, id, await readStdin());
        print({ id, email });
      },
    },
    {
      name: 'user promote',
      summary: 'Gives an account a profile; super-admin everywhere unless said',
      args: '<email>',
      options: [
        { flags: '--profile <key>', description: 'what they may do', default: OWNER },
        { flags: '--entity <id>', description: 'where; everywhere unless said' },
      ],
      run: async ({ actor, args, options, print }) => {
        const { id, email } = await personCalled(deps, args[0]);
        const profile = text(options['profile']) ?? OWNER;
        await give(deps, actor, { userId: id, profile, entityId: text(options['entity']) });
        print({ id, email, profile });
      },
    },
  ];
}

async function createUser(deps: Deps, { actor, options, readStdin }: CommandContext): Promise<PersonFacts> {
  const { db, users } = deps;
  const grant = await grantFor(deps, {
    profile: text(options['profile']) ?? '',
    entityId: text(options['entity']),
  });
  const password = options['passwordStdin'] === true ? await readStdin() : undefined;
  const prepared = await users.prepare(
    {
      email: text(options['email']) ?? '',
      name: text(options['name']) ?? '',
      locale: text(options['locale']) ?? 'en',
      ...(password === undefined ? {} : { password }),
    },
    { lane: 'sign-in' },
  );
  return db.transaction(async (tx) => {
    const user = await users.insert(tx, prepared, { actor, emailProven: true });
    await deps.memberships.grant(tx, { ...grant, userId: user.id }, { actor });
    if (grant.isOwner) await deps.settings.setOnce(tx, actor, setupCompletedAt, deps.clock.now());
    return user;
  });
}

interface Wish {
  profile: string;
  entityId: string | undefined;
}

async function give(deps: Deps, actor: Actor, { userId, ...wish }: Wish & { userId: string }): Promise<void> {
  const { isOwner, ...grant } = await grantFor(deps, wish);
  await deps.db.transaction(async (tx) => {
    await deps.memberships.grant(tx, { ...grant, userId }, { actor });
    if (isOwner) await deps.settings.setOnce(tx, actor, setupCompletedAt, deps.clock.now());
  });
}

/** Whoever owns the whole house needs no owner link any more. */
async function grantFor(
  { memberships }: Deps,
  { profile, entityId = ROOT_ENTITY_ID }: Wish,
): Promise<{ profileId: string; entityId: string; recursive: boolean; isOwner: boolean }> {
  const profiles = await memberships.profiles();
  const found = profiles.find(({ key, id }) => key === profile || id === profile);
  if (!found) {
    const known = profiles.map(({ key }) => key).join(', ');
    throw new InvalidInputError('cli.profile', { params: { profile, known } });
  }
  const isOwner = found.key === OWNER && entityId === ROOT_ENTITY_ID;
  return { profileId: found.id, entityId, recursive: true, isOwner };
}

export async function personCalled({ users }: Pick<Deps, 'users'>, email = ''): Promise<PersonFacts> {
  const person = await users.findByEmail(email);
  if (!person) throw new NotFoundError('cli.no-such-user', { params: { email } });
  return person;
}

function pageFrom(said = '1'): number {
  const page = Number(said);
  if (Number.isInteger(page) && page > 0) return page;
  throw new InvalidInputError('cli.page', { params: { page: said } });
}

const text = (value: string | boolean | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined;
