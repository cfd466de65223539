import type { CommandDefinition } from 'latchkey/plugin-api';
import type { OfflineAnswers } from './offline-answers.ts';

/** For whoever sits at the hub itself; customers do it in the portal, under "Without a line". */
export const offlineCommand = (answers: OfflineAnswers): CommandDefinition => ({
  name: 'hub answer',
  summary:
    'Prints the answer to a request file of a helpdesk without a line, with the newest of these plugins',
  args: '<request> [plugins...]',
  run: async ({ actor, args: [request = '', ...plugins], readFile, print }) => {
    const text = (await readFile(request)).toString('utf8');
    print((await answers.answerTo(actor, text, plugins)).toString('utf8'));
  },
});
