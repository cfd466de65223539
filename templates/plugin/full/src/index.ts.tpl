import { definePlugin, redirect, route, ticketCreated, view, z, type KnownError } from 'latchkey/plugin-api';
import { Board } from './board.ts';

const DAY_MS = 86_400_000;
const access = { right: '__id__.write' } as const;

/** A board on which people leave notes, and on which new tickets appear by themselves. */
export default definePlugin((host) => {
  const board = new Board(host);

  /** The page, also where what was sent is refused: with what was typed, and why. */
  const page = async (refused: { typed?: unknown; error?: KnownError } = {}) =>
    view('__id__/board', { ...refused, notes: await board.newest() });

  host.routes([
    route({
      method: 'get',
      path: '/p/__id__',
      access,
      handler: () => page(),
    }),
    route({
      method: 'post',
      path: '/p/__id__',
      access,
      body: z.object({ said: z.string().trim().min(1).max(500) }),
      handler: async ({ body }) => {
        await host.transaction((tx) => board.say(tx, body.said));
        return redirect('/p/__id__', { flash: { kind: 'success', code: '__id__:said' } });
      },
      onRefused: ({ body }, error) => page({ typed: body, error }),
    }),
  ]);

  host.on(ticketCreated, ({ ticket }, delivery) =>
    delivery.once((tx) => board.say(tx, `#${String(ticket.number)} ${ticket.title}`)),
  );

  host.job('forget', async () => {
    const days = await host.settings.get<number>('keepDays');
    await host.transaction((tx) => board.forgetBefore(tx, host.clock.now() - days * DAY_MS));
  });
});
