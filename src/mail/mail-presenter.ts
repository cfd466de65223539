import type { MailDelivery, MailState } from './mail.ts';

const looks: Record<MailState, { tone: string; stateIcon: string }> = {
  queued: { tone: 'info', stateIcon: 'clock' },
  sending: { tone: 'info', stateIcon: 'send' },
  'handed-over': { tone: 'success', stateIcon: 'check' },
  failed: { tone: 'warning', stateIcon: 'refresh' },
  dead: { tone: 'danger', stateIcon: 'alert-triangle' },
  off: { tone: 'quiet', stateIcon: 'mail-off' },
};

export const presentDelivery = (
  delivery: MailDelivery,
): MailDelivery & { tone: string; stateIcon: string } => ({
  ...delivery,
  ...looks[delivery.state],
});
