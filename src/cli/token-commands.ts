import type { AccessTokenService, UserService } from '../identity/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { Command } from './command.ts';
import { durationFrom } from './duration.ts';
import { personCalled } from './user-commands.ts';

interface Deps {
  clock: Clock;
  users: UserService;
  accessTokens: AccessTokenService;
}

/** Personal API tokens. The secret is printed this once; nobody can read it again. */
export function tokenCommands(deps: Deps): Command[] {
  const { accessTokens, clock } = deps;
  return [
    {
      name: 'token create',
      summary: 'Makes an API token for a person and prints it, this once',
      options: [
        { flags: '--user <email>', description: 'whose rights it has' },
        { flags: '--name <name>', description: 'what it is for' },
        {
          flags: '--scopes <list>',
          description: 'with commas, e.g. tickets:read,invitation-keys:write',
          default: '*',
        },
        { flags: '--expires <duration>', description: 'at most 365d', default: '90d' },
      ],
      run: async ({ actor, options, print }) => {
        const { id: userId } = await personCalled(deps, String(options['user'] ?? ''));
        const { token, secret } = await accessTokens.create(actor, userId, {
          name: String(options['name'] ?? ''),
          scopes: String(options['scopes'])
            .split(',')
            .map((scope) => scope.trim()),
          expiresAt: clock.now() + durationFrom(String(options['expires'])),
        });
        print({ id: token.id, token: secret });
      },
    },
    {
      name: 'token list',
      summary: 'A person’s tokens, without their secrets',
      options: [{ flags: '--user <email>', description: 'whose' }],
      run: async ({ actor, options, print }) => {
        const { id: userId } = await personCalled(deps, String(options['user'] ?? ''));
        const tokens = await accessTokens.listOf(actor, userId);
        print(
          tokens.map(({ id, name, hint, scopes, expiresAt, usedAt, revokedAt }) => ({
            id,
            name,
            hint,
            scopes: scopes.join(' '),
            expiresAt: iso(expiresAt),
            usedAt: iso(usedAt),
            revokedAt: iso(revokedAt),
          })),
        );
      },
    },
    {
      name: 'token revoke',
      summary: 'Ends a token at once',
      args: '<id>',
      run: async ({ actor, args, print }) => {
        const [id = ''] = args;
        await accessTokens.revoke(actor, id);
        print({ id, revoked: true });
      },
    },
  ];
}

const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());
