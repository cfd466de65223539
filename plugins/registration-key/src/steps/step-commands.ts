import { InvalidInputError, z, type CommandContext, type CommandDefinition } from 'latchkey/plugin-api';
import { firstWord, said } from '../command-words.ts';
import type { Step, StepDraft } from './step.ts';
import { stepJson } from './step-json.ts';
import type { StepService } from './step-service.ts';

interface Deps {
  steps: StepService;
}

const wording: NonNullable<CommandDefinition['options']> = [
  { flags: '--title <text>', description: 'What stands above it' },
  { flags: '--phase <phase>', description: 'before (the form) or after (they have joined)' },
  { flags: '--agreement <text>', description: 'What people tick to go on; empty where reading is enough' },
  { flags: '--for <keys>', description: 'every key, or only those that name it: every, named' },
];

/** The pages that newcomers walk through, from the command line. */
export function stepCommands({ steps }: Deps): CommandDefinition[] {
  return [
    {
      name: 'invite steps',
      summary: 'The pages that newcomers walk through, in their order',
      run: async ({ actor, print }) => {
        print((await steps.list(actor)).map(brief));
      },
    },
    {
      name: 'invite step',
      summary: 'One page with its words',
      args: '<id>',
      run: async (context) => {
        context.print(stepJson(await steps.get(context.actor, firstWord(context))));
      },
    },
    {
      name: 'invite step-add',
      summary: 'Add a page; its text is a file of Markdown, or - for what is piped in',
      args: '<file>',
      options: wording,
      run: async (context) => {
        const body = await textFrom(context, firstWord(context));
        const draft = { phase: 'before', everywhere: true, title: '', agreement: '', body } as const;
        context.print(stepJson(await steps.add(context.actor, changed(draft, context))));
      },
    },
    {
      name: 'invite step-edit',
      summary: 'Change a page; whoever is on the way agrees to the new words',
      args: '<id>',
      options: [
        ...wording,
        { flags: '--text <file>', description: 'Its new text, or - for what is piped in' },
      ],
      run: async (context) => {
        const { id, edition, ...step } = await steps.get(context.actor, firstWord(context));
        const file = said(context, 'text');
        const { phase, everywhere, title, agreement } = step;
        const body = file === undefined ? step.body : await textFrom(context, file);
        const draft = changed({ phase, everywhere, title, agreement, body }, context);
        context.print(stepJson(await steps.edit(context.actor, id, edition, draft)));
      },
    },
    {
      name: 'invite step-move',
      summary: 'Show a page one place earlier (up) or later (down)',
      args: '<id> <way>',
      run: async (context) => {
        const { actor, args, print } = context;
        await steps.move(actor, firstWord(context), choice('direction', ['up', 'down'], args[1]));
        print((await steps.list(actor)).map(brief));
      },
    },
    {
      name: 'invite step-remove',
      summary: 'Remove a page; what was agreed to stays on record',
      args: '<id>',
      run: async (context) => {
        await steps.remove(context.actor, firstWord(context));
        context.print({ removed: firstWord(context) });
      },
    },
  ];
}

const textFrom = async ({ readFile, readStdin }: CommandContext, file: string): Promise<string> =>
  file === '-' ? readStdin() : new TextDecoder().decode(await readFile(file));

function changed(draft: StepDraft, context: CommandContext): StepDraft {
  const [phase, keys] = [said(context, 'phase'), said(context, 'for')];
  return {
    ...draft,
    title: said(context, 'title') ?? draft.title,
    agreement: said(context, 'agreement') ?? draft.agreement,
    phase: phase === undefined ? draft.phase : choice('phase', ['before', 'after'], phase),
    everywhere: keys === undefined ? draft.everywhere : choice('for', ['every', 'named'], keys) === 'every',
  };
}

function choice<T extends string>(field: string, choices: readonly T[], typed: string | undefined): T {
  const found = z.enum(choices).safeParse(typed);
  if (found.success) return found.data;
  throw new InvalidInputError('input.invalid', { fields: [{ field, code: 'invitation.unknown_choice' }] });
}

const brief = ({ id, phase, everywhere, title, agreement, edition }: Step): object => ({
  id,
  phase,
  title,
  for: everywhere ? 'every' : 'named',
  agreement: agreement !== '',
  edition,
});
