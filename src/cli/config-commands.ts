import { describeConfig, readConfig, type Environment } from '../config.ts';
import type { Command } from './command.ts';

/** Work without a database, so that a wrong `LATCHKEY_DATABASE_URL` can be found with them. */
export const configCommands = (env: Environment): Command[] => [
  {
    name: 'config print',
    summary: 'Every variable, its value (secrets hidden) and where it came from',
    run: ({ print }) => {
      print(describeConfig(env).map(({ variable, value, source }) => ({ variable, value, source })));
      return Promise.resolve();
    },
  },
  {
    name: 'config check',
    summary: 'Says what is wrong with the configuration, all of it; exit code 78 if anything is',
    run: ({ print }) => {
      readConfig(env);
      print({ ok: true });
      return Promise.resolve();
    },
  },
];
