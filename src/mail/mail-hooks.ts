import { defineEvent, defineFilter, defineVeto } from '../hooks/tokens.ts';
import type { MailContent } from './mail.ts';

const since = '0.1.0';
const budgetMs = 50;

export const mailOutgoing = defineFilter<MailContent, { id: string; kind: string }>({
  name: 'mail.outgoing',
  summary:
    'A mail as it leaves: a footer, another reply address. Mails with a secret link are shown to nobody.',
  since,
  failure: 'open',
  budgetMs,
});

export const mailMayLeave = defineVeto<{ id: string; kind: string; to: string }>({
  name: 'mail.may-leave',
  summary: 'Keeps a mail from being sent, by its kind or receiver.',
  since,
  failure: 'open',
  budgetMs,
});

export const mailHandedOver = defineEvent<{ id: string; kind: string; to: string }>({
  name: 'mail.handed-over',
  summary: 'The mail server has taken a mail.',
  since,
});

export const mailGivenUp = defineEvent<{ id: string; kind: string; to: string; problem: string }>({
  name: 'mail.given-up',
  summary: 'A mail could not be sent and is not tried again.',
  since,
});
