import { NotFoundError, type CommandDefinition } from 'latchkey/plugin-api';
import { firstWord, manyWords, printResult, said } from '../command-words.ts';
import type { ConfirmService } from '../join/confirm-service.ts';
import type { ApprovalService, Candidate } from './approval-service.ts';

interface Deps {
  approvals: ApprovalService;
  confirm: ConfirmService;
}

const MANY = { page: 1, perPage: 200 };

/** `latchkey invite approvals | approve | decline | unconfirmed | confirm | dismiss`. */
export const peopleCommands = ({ approvals, confirm }: Deps): CommandDefinition[] => [
  {
    name: 'invite approvals',
    summary: 'People who wait for an approver',
    run: async ({ actor, print }) => {
      print((await approvals.listWaiting(actor, MANY)).items.map(brief));
    },
  },
  {
    name: 'invite approve',
    summary: 'Let these people in, by the ids of `invite approvals`; - reads the ids that are piped in',
    args: '<ids...>',
    run: async (context) => {
      printResult(context, await approvals.decide(context.actor, await manyWords(context), 'approve'));
    },
  },
  {
    name: 'invite decline',
    summary: 'Say no to these people; their places are free again and each hears of it by mail',
    args: '<ids...>',
    options: [{ flags: '--reason <text>', description: 'What they read' }],
    run: async (context) => {
      const reason = said(context, 'reason') ?? '';
      printResult(
        context,
        await approvals.decide(context.actor, await manyWords(context), 'decline', reason),
      );
    },
  },
  {
    name: 'invite unconfirmed',
    summary: 'People whose place is held until they have proved their address',
    run: async ({ actor, print }) => {
      print((await approvals.listUnconfirmed(actor, MANY)).items.map(brief));
    },
  },
  {
    name: 'invite confirm',
    summary: 'Answer for the address of somebody by hand, by the id of `invite unconfirmed`',
    args: '<id>',
    run: async (context) => {
      const attemptId = await approvals.attemptOf(firstWord(context));
      if (attemptId === null) throw new NotFoundError('invitation.nothing_waits');
      const { status } = await confirm.byHand(context.actor, attemptId);
      context.print({ id: firstWord(context), status });
    },
  },
  {
    name: 'invite dismiss',
    summary: 'End an unfinished sign-up; its place is free again',
    args: '<id>',
    run: async (context) => {
      await approvals.dismiss(context.actor, firstWord(context));
      context.print({ dismissed: firstWord(context) });
    },
  },
];

const brief = ({ redemption, key, name, email }: Candidate): object => ({
  id: redemption.id,
  name,
  email,
  key: key.label === '' ? key.hint : key.label,
  at: new Date(redemption.at).toISOString(),
  heldUntil: redemption.holdUntil === null ? '' : new Date(redemption.holdUntil).toISOString(),
});
