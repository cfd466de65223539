import { definePlugin, ticketMayCreate } from 'latchkey/plugin-api';

/** Keeps passwords out of tickets: refuses what looks like one, and says so beside every ticket. */
export default definePlugin((host) => {
  const words = async (): Promise<string[]> => {
    const text = await host.settings.get<string>('words');
    return text
      .split(',')
      .map((word) => word.trim().toLowerCase())
      .filter((word) => word !== '');
  };

  // Asked before the ticket is written. A refusal's text is `errors.<code>`; `field` says where on the form it is shown.
  host.veto(ticketMayCreate, async ({ draft }) => {
    const said = `${draft.title} ${draft.description}`.toLowerCase();
    const word = (await words()).find((one) => said.includes(`${one}:`));
    return word === undefined ? null : { code: '__id__.secret', params: { word }, field: 'description' };
  });

  // Drawn beside the conversation; null leaves the place empty.
  host.slot('ticket.sidebar', '__id__/hint', async (_ticket, actor) =>
    actor.can('ticket.read') ? { words: await words() } : null,
  );
});
