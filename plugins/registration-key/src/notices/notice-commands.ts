import { InvalidInputError, z, type CommandDefinition } from 'latchkey/plugin-api';
import { firstWord, said } from '../command-words.ts';
import type { KeyService } from '../keys/key-service.ts';
import type { NoticeService } from './notice-service.ts';

interface Deps {
  keys: KeyService;
  notices: NoticeService;
}

/** `latchkey invite notices`. */
export const noticeCommand = ({ keys, notices }: Deps): CommandDefinition => ({
  name: 'invite notices',
  summary: 'What the owner hears of a key; with an option, chooses it',
  args: '<id>',
  options: [
    { flags: '--joins <when>', description: 'Of people who join: each, digest or none' },
    {
      flags: '--warnings <on>',
      description: 'Before it matters (nearly full, ending, nobody comes): on or off',
    },
  ],
  run: async (context) => {
    const id = firstWord(context);
    const before = await notices.choiceOf(await keys.get(context.actor, id));
    const choice = {
      joins: chosen('joins', said(context, 'joins') ?? before.joins, ['each', 'digest', 'none']),
      warnings:
        chosen('warnings', said(context, 'warnings') ?? (before.warnings ? 'on' : 'off'), ['on', 'off']) ===
        'on',
    };
    const isChange = choice.joins !== before.joins || choice.warnings !== before.warnings;
    if (isChange) await notices.choose(context.actor, id, choice);
    context.print(choice);
  },
});

function chosen<T extends string>(field: string, value: string, allowed: readonly [T, ...T[]]): T {
  const choice = z.enum(allowed).safeParse(value);
  if (choice.success) return choice.data;
  throw new InvalidInputError('input.invalid', { fields: [{ field, code: 'invitation.unknown_choice' }] });
}
