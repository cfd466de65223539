import {
  InvalidInputError,
  NotFoundError,
  z,
  type CommandContext,
  type CommandDefinition,
  type Host,
} from 'latchkey/plugin-api';
import { firstWord, said } from '../command-words.ts';
import { momentFrom } from '../commands.ts';
import { normaliseAddress } from '../keys/address.ts';
import type { KeyService } from '../keys/key-service.ts';
import type { KeyDraft } from '../keys/key-terms.ts';
import type { RosterService } from '../roster/roster-service.ts';
import type { AgainService } from './again-service.ts';
import { textOfFile } from './file-text.ts';
import { findInvited, listInvitees } from './invitee-repository.ts';
import type { MailingService } from './mailing-service.ts';
import { inviteeJson, lineJson, roundJson } from './reach-json.ts';
import type { RoundRunner } from './round-runner.ts';
import type { RoundService } from './round-service.ts';

interface Deps {
  host: Host;
  keys: KeyService;
  rounds: RoundService;
  again: AgainService;
  rosters: RosterService;
  mailings: MailingService;
  runner: RoundRunner;
}

const kinds = z.enum(['shared', 'personal', 'roster']);

/** `latchkey invite people …`, its rounds, `invite send`, `invite again`, `invite roster`. */
export function reachCommands({
  host,
  keys,
  rounds,
  again,
  rosters,
  mailings,
  runner,
}: Deps): CommandDefinition[] {
  const brief = async ({ actor }: CommandContext, id: string): Promise<object> => {
    const {
      id: round,
      kind,
      state,
      label,
      keyId,
      lines,
      progress,
      mails,
    } = roundJson(await rounds.get(actor, id));
    return { id: round, kind, state, label, keyId, lines, progress, mails };
  };

  return [
    {
      name: 'invite people',
      summary:
        'Read a list of people (a file, or - for what is piped in), sort it, and with --start invite them',
      args: '<file>',
      options: [
        {
          flags: '--start <how>',
          description: 'shared, personal or roster; without it nobody is written to',
        },
        { flags: '--key <id>', description: 'A key that is there already' },
        { flags: '--numbers', description: 'Staff numbers instead of addresses' },
        { flags: '--label <text>', description: 'What administrators call it' },
        { flags: '--message <text>', description: 'A few words of your own' },
        { flags: '--locale <locale>', description: 'Language of the mail: en or fr' },
        { flags: '--expires <when>', description: 'After 7d, 12h, at an ISO time, or "never"' },
        { flags: '--profile <key>', description: 'Profile of the newcomers' },
        { flags: '--no-mail', description: 'A roster whose people are not written to' },
        { flags: '--keep-addresses', description: 'A roster whose missing people can be named and nudged' },
      ],
      run: async (context) => {
        const { actor, args, options } = context;
        const file = args[0] ?? '-';
        const text = file === '-' ? await context.readStdin() : textOfFile(await context.readFile(file));
        const round = await rounds.open(actor, {
          text,
          source: file === '-' ? '' : (file.split('/').at(-1) ?? ''),
          keyId: said(context, 'key'),
          byNumber: options['numbers'] === true,
        });
        const how = said(context, 'start');
        if (how !== undefined) {
          const kind = kinds.safeParse(how);
          if (!kind.success)
            throw new InvalidInputError('input.invalid', {
              fields: [{ field: 'start', code: 'invitation.unknown_choice' }],
            });
          const locale = z
            .enum(['en', 'fr'])
            .nullable()
            .catch(null)
            .parse(said(context, 'locale') ?? null);
          await rounds.start(actor, round.id, {
            kind: kind.data,
            message: said(context, 'message') ?? '',
            locale,
            terms: {
              draft: draftFrom(context, kind.data, host.clock.now()),
              groupsFromList: kind.data === 'personal',
              withAccounts: false,
              withInvited: false,
              mails: options['mail'] !== false,
              keepsAddresses: options['keepAddresses'] === true || options['keep-addresses'] === true,
            },
          });
          await runner.settled();
        }
        context.print(await brief(context, round.id));
      },
    },
    {
      name: 'invite rounds',
      summary: 'Rounds of invitations, newest first',
      run: async (context) => {
        const { items } = await rounds.list(context.actor, {}, { page: 1, perPage: 50 });
        context.print(
          items.map(({ id, kind, state, label, source, ownerName }) => ({
            id,
            kind,
            state,
            label,
            source,
            ownerName,
          })),
        );
      },
    },
    {
      name: 'invite round',
      summary: 'One round, and how far it is',
      args: '<id>',
      options: [{ flags: '--lines', description: 'Its lines instead, with what was found' }],
      run: async (context) => {
        const id = context.args[0] ?? '';
        if (context.options['lines'] !== true) {
          context.print(await brief(context, id));
          return;
        }
        const { items } = await rounds.lines(context.actor, { roundId: id }, { page: 1, perPage: 10_000 });
        context.print(items.map(lineJson));
      },
    },
    {
      name: 'invite round-discard',
      summary: 'Throw a list away that was not sent',
      args: '<id>',
      run: async (context) => {
        await rounds.discard(context.actor, firstWord(context));
        context.print({ discarded: firstWord(context) });
      },
    },
    {
      name: 'invite round-again',
      summary: 'Write again to those of a round who have not joined; once a day',
      args: '<id>',
      options: [{ flags: '--message <text>', description: 'A few words of your own' }],
      run: async (context) => {
        const message = said(context, 'message') ?? '';
        const round = await again.toAll(context.actor, { roundId: firstWord(context) }, { message });
        await runner.settled();
        context.print(await brief(context, round.id));
      },
    },
    ...(['pause', 'resume', 'stop'] as const).map((name) => ({
      name: `invite round-${name}`,
      summary: {
        pause: 'Write to nobody of a round for now',
        resume: 'Go on with a round',
        stop: 'End a round: nobody else is written to',
      }[name],
      args: '<id>',
      run: async (context: CommandContext) => {
        const id = context.args[0] ?? '';
        await rounds[name](context.actor, id);
        await runner.settled();
        context.print(await brief(context, id));
      },
    })),
    {
      name: 'invite send',
      summary: 'Mail a key to one more person, or to a few with commas',
      args: '<id> <addresses>',
      options: [{ flags: '--message <text>', description: 'A few words of your own' }],
      run: async (context) => {
        const [id = '', ...addresses] = context.args;
        const wanted = { addresses: addresses.join(' '), message: said(context, 'message') ?? '' };
        context.print({ sent: await mailings.send(context.actor, id, wanted) });
      },
    },
    {
      name: 'invite again',
      summary: 'Write again to all of a key who have not joined; once a day',
      args: '<id>',
      run: async (context) => {
        const round = await again.toAll(context.actor, { keyId: context.args[0] ?? '' });
        await runner.settled();
        context.print(await brief(context, round.id));
      },
    },
    {
      name: 'invite invited',
      summary: 'Whom a key was mailed to, and what became of each mail',
      args: '<id>',
      options: [{ flags: '--missing', description: 'Only those who have not joined' }],
      run: async (context) => {
        const key = await keys.get(context.actor, firstWord(context));
        const filter = { keyId: key.id, ...(context.options['missing'] === true ? { joined: false } : {}) };
        const { items } = await listInvitees(host.db, filter, { page: 1, perPage: 10_000 });
        context.print(
          items.map(inviteeJson).map(({ id, email, delivery, reply, mails, joinedAt }) => ({
            id,
            email,
            delivery,
            reply,
            mails,
            joinedAt,
          })),
        );
      },
    },
    {
      name: 'invite resend',
      summary: 'Write once more to one person whom a key was mailed to; the first link goes on working',
      args: '<id> <address>',
      options: [{ flags: '--message <text>', description: 'A few words of your own' }],
      run: async (context) => {
        const [id = '', address = ''] = context.args;
        const key = await keys.get(context.actor, id);
        const [invitee] = await findInvited(host.db, key.id, [normaliseAddress(address) ?? '']);
        if (!invitee) throw new NotFoundError('round.no_invitee');
        const message = said(context, 'message') ?? '';
        context.print(inviteeJson(await again.resend(context.actor, invitee.id, { message })));
      },
    },
    {
      name: 'invite nudge',
      summary: 'Write to those on the list of a key who have not joined; once a day',
      args: '<id>',
      options: [{ flags: '--message <text>', description: 'A few words of your own' }],
      run: async (context) => {
        const message = said(context, 'message') ?? '';
        const round = await again.nudge(context.actor, firstWord(context), { message });
        await runner.settled();
        context.print(await brief(context, round.id));
      },
    },
    {
      name: 'invite unlist',
      summary: 'Take somebody off the list of a key who has not joined, by address or staff number',
      args: '<id> <who>',
      run: async ({ actor, args: [id = '', who = ''], print }) => {
        await rosters.remove(actor, id, who);
        print({ unlisted: who });
      },
    },
    {
      name: 'invite roster',
      summary: 'How many on the list of a key have joined, and who is missing where that was kept',
      args: '<id>',
      options: [{ flags: '--missing', description: 'Who has not joined yet' }],
      run: async (context) => {
        const id = context.args[0] ?? '';
        const { roster, counts } = await rosters.get(context.actor, id);
        if (context.options['missing'] !== true) {
          context.print({ of: roster.kind, ...counts });
          return;
        }
        const { items } = await rosters.missing(context.actor, id, { page: 1, perPage: 10_000 });
        context.print(items.map(({ address }) => ({ address })));
      },
    },
  ];

  function draftFrom(context: CommandContext, kind: string, now: number): KeyDraft {
    const draft = {
      label: said(context, 'label'),
      profile: said(context, 'profile'),
      expiresAt: momentFrom('expires', said(context, 'expires'), now),
      maxUses: kind === 'personal' ? 1 : undefined,
    };
    return Object.fromEntries(Object.entries(draft).filter(([, value]) => value !== undefined));
  }
}
