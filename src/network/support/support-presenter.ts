import { sizeInWords } from '../../shared/size-in-words.ts';
import type { SupportThread } from './support-service.ts';
import type { MessageState, RequestState, SupportFile, SupportRequest } from './support.ts';

interface Pill {
  key: string;
  icon: string;
  tone: string;
}

export const SUPPORT_PATH = '/admin/network/support';

const statusLooks: Record<RequestState, Omit<Pill, 'key'>> = {
  waiting: { icon: 'clock', tone: 'info' },
  new: { icon: 'sparkles', tone: 'accent' },
  open: { icon: 'circle-dot', tone: 'info' },
  pending: { icon: 'hourglass', tone: 'warning' },
  solved: { icon: 'circle-check', tone: 'success' },
  closed: { icon: 'lock', tone: 'quiet' },
};
const wayLooks: Record<Exclude<MessageState, 'received'>, Omit<Pill, 'key'>> = {
  waiting: { icon: 'clock', tone: 'info' },
  sent: { icon: 'send', tone: 'info' },
  arrived: { icon: 'check', tone: 'quiet' },
  refused: { icon: 'ban', tone: 'danger' },
};

const statusPill = (status: RequestState): Pill => ({
  key: `support:status.${status}`,
  ...statusLooks[status],
});

export const presentRow = (request: SupportRequest): object => ({
  ...request,
  path: `${SUPPORT_PATH}/${request.id}`,
  pill: statusPill(request.status),
});

/** The conversation as people here read it, and what they can do next. */
export function presentThread({ request, messages, isHere }: SupportThread): object {
  const pending = messages.filter(
    ({ state }) => state === 'waiting' || state === 'sent' || state === 'refused',
  );
  const hasAccepted = pending.some(({ kind }) => kind === 'accept');
  return {
    ...presentRow(request),
    request,
    hub: URL.parse(request.hub)?.host ?? request.hub,
    isHere,
    mayAccept: request.status === 'solved' && !hasAccepted && isHere,
    isClosed: request.status === 'closed',
    isPending: pending.length > 0,
    items: messages.map(({ files, state, kind, problem, ...message }) => ({
      ...message,
      anchor: `message-${message.id}`,
      isVendor: state === 'received',
      isSolution: kind === 'solution',
      isAccept: kind === 'accept',
      way: state === 'received' ? null : { key: `support:way.${state}`, ...wayLooks[state] },
      isRefused: state === 'refused',
      hubProblem: problem !== null && state !== 'refused' ? `network:problem.${problem}` : null,
      files: files.map(presentFile),
    })),
  };
}

const presentFile = ({ id, name, size, storageKey, problem }: SupportFile): object => ({
  name,
  size: sizeInWords(size),
  path: storageKey === null ? null : `${SUPPORT_PATH}/files/${id}`,
  problem,
});
