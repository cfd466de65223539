import { z, type CommandDefinition, type Host } from 'latchkey/plugin-api';
import { firstWord, manyWords, printResult, said } from '../command-words.ts';
import type { BatchService } from '../keys/batch-service.ts';
import type { InvitationKey } from '../keys/invitation-key.ts';
import { deadKinds, type KeyBulk } from '../keys/key-bulk.ts';
import { keyJson } from './key-json.ts';
import type { KeyService } from '../keys/key-service.ts';
import type { PresetBook } from '../keys/preset-book.ts';
import type { Preset } from '../keys/preset-repository.ts';

interface Deps {
  host: Host;
  keys: KeyService;
  presets: PresetBook;
  batches: BatchService;
  bulk: KeyBulk;
}

/** `latchkey invite batch | agree | restore | delete | purge | revoke-many | extend | presets …` */
export function mintingCommands({ host, keys, presets, batches, bulk }: Deps): CommandDefinition[] {
  const whole = async (key: InvitationKey): Promise<object> => (await keyJson(host, [key]))[0] ?? {};
  return [
    {
      name: 'invite batch',
      summary: 'Make many keys from a preset and show their links',
      args: '<preset>',
      options: [
        { flags: '--count <count>', description: 'How many', default: '10' },
        { flags: '--label <text>', description: 'Label of all of them; each has a number' },
      ],
      run: async (context) => {
        const { actor, options } = context;
        const label = typeof options['label'] === 'string' ? { label: options['label'] } : {};
        const draft = { preset: firstWord(context), ...label };
        const { made } = await batches.mint(actor, draft, Number(options['count']));
        context.print(made.map(({ key, text, url }) => ({ id: key.id, label: key.label, key: text, url })));
      },
    },
    {
      name: 'invite agree',
      summary: 'Agree to a key of the staff that somebody else made',
      args: '<id>',
      run: async (context) => {
        const { version } = await keys.get(context.actor, firstWord(context));
        context.print(await whole(await keys.agree(context.actor, firstWord(context), version)));
      },
    },
    {
      name: 'invite restore',
      summary: 'Take back a revocation',
      args: '<id>',
      run: async (context) => {
        context.print(await whole(await keys.restore(context.actor, firstWord(context))));
      },
    },
    {
      name: 'invite delete',
      summary: 'Delete a key; one that was used only with --keep-history',
      args: '<id>',
      options: [
        { flags: '--keep-history', description: 'Take it from every list, keep what happened with it' },
      ],
      run: async (context) => {
        const { options } = context;
        const keepHistory = options['keep-history'] === true || options['keepHistory'] === true;
        await keys.remove(context.actor, firstWord(context), { keepHistory });
        context.print({ deleted: firstWord(context) });
      },
    },
    {
      name: 'invite purge',
      summary: 'Clear away dead keys',
      options: [
        {
          flags: '--what <kinds>',
          description: 'expired, used-up, revoked, with commas',
          default: 'expired',
        },
      ],
      run: async (context) => {
        const wanted = String(context.options['what'] ?? 'expired').split(',');
        const kinds = z.array(z.enum(deadKinds)).parse(wanted.map((kind) => kind.trim()));
        let done = 0;
        for (;;) {
          const result = await bulk.purge(context.actor, kinds);
          done += result.done;
          if (!result.left || result.done === 0) break;
        }
        context.print({ purged: done });
      },
    },
    {
      name: 'invite revoke-many',
      summary: 'Close several keys; - reads the ids that are piped in',
      args: '<ids...>',
      run: async (context) => {
        printResult(context, await bulk.revoke(context.actor, await manyWords(context)));
      },
    },
    {
      name: 'invite extend',
      summary: 'Move the end of keys, from today where they are over; - reads the ids that are piped in',
      args: '<ids...>',
      options: [{ flags: '--days <days>', description: 'By how many days', default: '7' }],
      run: async (context) => {
        const days = Number(context.options['days']);
        printResult(context, await bulk.extend(context.actor, await manyWords(context), days));
      },
    },
    {
      name: 'invite presets',
      summary: 'Presets that keys can be made from',
      run: async (context) => {
        context.print((await presets.list(context.actor)).map(brief));
      },
    },
    {
      name: 'invite save-preset',
      summary: 'Keep the settings of a key as a preset',
      args: '<id>',
      options: [{ flags: '--name <name>', description: 'What it is called' }],
      run: async (context) => {
        const name = String(context.options['name'] ?? '');
        context.print(brief(await presets.keep(context.actor, firstWord(context), name)));
      },
    },
    {
      name: 'invite rename-preset',
      summary: 'Give a preset, found by id or name, another name',
      args: '<preset>',
      options: [{ flags: '--name <name>', description: 'What it is called from now on' }],
      run: async (context) => {
        const { id } = await presets.find(context.actor, firstWord(context));
        context.print(brief(await presets.rename(context.actor, id, said(context, 'name') ?? '')));
      },
    },
    {
      name: 'invite remove-preset',
      summary: 'Remove a preset by id or name; the keys made from it stay',
      args: '<preset>',
      run: async (context) => {
        const { id, name } = await presets.find(context.actor, firstWord(context));
        await presets.remove(context.actor, id);
        context.print({ removed: name });
      },
    },
  ];
}

const brief = ({ id, name, draft, lifeMs }: Preset): object => ({
  id,
  name,
  profile: draft.profile ?? '',
  maxUses: draft.maxUses ?? null,
  days: lifeMs === null ? null : Math.round(lifeMs / 86_400_000),
});
