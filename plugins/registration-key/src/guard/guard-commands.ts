import { InvalidInputError, z, type CommandDefinition, type Host } from 'latchkey/plugin-api';
import type { KeyService } from '../keys/key-service.ts';
import type { Evidence } from './evidence.ts';
import { undoActions } from './undo-repository.ts';
import type { UndoService } from './undo-service.ts';

interface Deps {
  host: Host;
  keys: KeyService;
  evidence: Evidence;
  undo: UndoService;
}

/** `latchkey invite history` and `latchkey invite undo`. */
export const guardCommands = ({ host, keys, evidence, undo }: Deps): CommandDefinition[] => [
  {
    name: 'invite history',
    summary: 'What happened to a key, newest first',
    args: '<id>',
    run: async ({ actor, args: [id = ''], print }) => {
      const { items } = await evidence.history(await keys.get(actor, id), { limit: 100 });
      print(
        items.map(({ at, kind, actorName, node, network }) => ({
          at: new Date(at).toISOString(),
          kind,
          by: actorName,
          network,
          node: node ?? '',
        })),
      );
    },
  },
  {
    name: 'invite undo',
    summary: 'Undo a leak: suspend, un-group or delete everybody who came after a moment',
    args: '<id>',
    options: [
      { flags: '--since <moment>', description: 'In ISO 8601 with offset' },
      { flags: '--action <action>', description: 'suspend, groups or delete', default: 'suspend' },
      { flags: '--descendants', description: 'Also whom those people invited' },
      { flags: '--yes', description: 'Do it; without it the people are only listed' },
    ],
    run: async ({ actor, args: [id = ''], options, print }) => {
      const since = z.iso.datetime({ offset: true }).safeParse(options['since']);
      if (!since.success)
        throw new InvalidInputError('input.invalid', {
          fields: [{ field: 'since', code: 'invitation.not_a_moment' }],
        });
      const action = z.enum(undoActions).parse(options['action'] ?? 'suspend');
      const query = {
        since: Date.parse(since.data),
        withDescendants: options['descendants'] === true,
        copyId: null,
      };
      if (options['yes'] !== true) {
        const { people } = await undo.preview(actor, id, query);
        print(people.map(({ person, depth }) => ({ name: person.name, email: person.email, depth })));
        return;
      }
      const started = await undo.start(actor, id, { ...query, action });
      await undo.workOn(started, host.signal);
      const { counts } = await undo.view(actor, started.id);
      print({ id: started.id, ...counts });
    },
  },
  {
    name: 'invite undo-reverse',
    summary: 'Turn back the undoing of a leak, by the id that `invite undo --yes` gave; within thirty days',
    args: '<undo>',
    run: async ({ actor, args: [id = ''], print }) => {
      await undo.workOn(await undo.reverse(actor, id), host.signal);
      const { undo: one, counts } = await undo.view(actor, id);
      print({ id, state: one.state, ...counts });
    },
  },
];
