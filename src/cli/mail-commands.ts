import type { MailService } from '../mail/index.ts';
import type { Command } from './command.ts';

export const mailCommands = (mail: MailService): Command[] => [
  {
    name: 'mail test',
    summary: 'Sends one mail now and prints what the SMTP server answered',
    options: [{ flags: '--to <email>', description: 'where to' }],
    run: async ({ actor, options, print }) => {
      print(await mail.test(actor, String(options['to'] ?? '')));
    },
  },
];
