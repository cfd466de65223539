import type { Host } from 'latchkey/plugin-api';
import type { DeliveryState, Invitee } from './invitee-repository.ts';
import { verdicts, type Line, type Verdict, type VerdictCounts } from './round.ts';
import type { RoundFacts } from './round-service.ts';
import { readAnswer } from './smtp-answer.ts';

export const verdictLooks: Record<Verdict, { tone: string; icon: string }> = {
  ready: { tone: 'success', icon: 'circle-check' },
  invited: { tone: 'info', icon: 'mail' },
  'has-account': { tone: 'info', icon: 'user-check' },
  duplicate: { tone: 'quiet', icon: 'users' },
  refused: { tone: 'warning', icon: 'ban' },
  malformed: { tone: 'danger', icon: 'alert-circle' },
  'left-out': { tone: 'quiet', icon: 'x' },
};

const deliveryTones: Record<DeliveryState, string> = {
  queued: 'info',
  sending: 'info',
  'handed-over': 'success',
  failed: 'warning',
  dead: 'danger',
  off: 'quiet',
  unknown: 'quiet',
};

const stateTones = { draft: 'quiet', sending: 'info', paused: 'warning', stopped: 'quiet', done: 'success' };

export const presentVerdicts = (
  host: Host,
  counts: VerdictCounts,
  { path, shown, locale }: { path: string; shown: Verdict; locale: string },
): object[] =>
  verdicts
    .filter((verdict) => counts[verdict] > 0 || verdict === 'ready')
    .map((verdict) => ({
      label: host.t(`round.verdict.${verdict}`, {}, locale),
      path: `${path}?show=${verdict}`,
      count: counts[verdict],
      active: verdict === shown,
    }));

export const presentLine = (
  host: Host,
  line: Line,
  { groups, locale }: { groups: (id: string) => string; locale: string },
): object => ({
  id: line.id,
  line: line.line,
  written: line.written,
  email: line.email,
  name: line.name,
  staffNumber: line.staffNumber,
  groups: line.groupIds.map(groups).filter((name) => name !== ''),
  verdict: line.verdict,
  ...verdictLooks[line.verdict],
  reason: line.reason === null ? '' : host.t(`round.reason.${line.reason}`, { ...line.reasonFacts }, locale),
});

/** A round that is under way or over. */
export function presentProgress(facts: RoundFacts): object {
  const { round, key, states, deliveries } = facts;
  const total = states.waiting + states.done + states.skipped;
  const settled = states.done + states.skipped;
  return {
    round: {
      id: round.id,
      label: round.label,
      source: round.source,
      kind: round.kind,
      state: round.state,
      tone: stateTones[round.state],
      ownerName: round.ownerName,
      createdAt: round.createdAt,
      startedAt: round.startedAt,
      finishedAt: round.finishedAt,
      isSending: round.state === 'sending',
      isPaused: round.state === 'paused',
      mails: round.kind !== 'roster' || round.terms.mails,
    },
    key: key === null ? null : { id: key.id, label: key.label },
    total,
    settled,
    percent: total === 0 ? 100 : Math.floor((settled * 100) / total),
    ...states,
    deliveries: {
      waiting: deliveries.queued + deliveries.sending,
      accepted: deliveries['handed-over'],
      later: deliveries.failed,
      refused: deliveries.dead,
      joined: deliveries.joined,
      total: deliveries.total,
    },
    // While mails are on their way the page goes on asking.
    isLive: round.state === 'sending' || deliveries.queued + deliveries.sending > 0,
    mayManage: facts.mayManage,
    mayWriteAgain:
      facts.mayManage &&
      (round.state === 'done' || round.state === 'stopped') &&
      deliveries.total > deliveries.joined,
  };
}

/** An address, and what became of its mail. */
export function presentInvitee(host: Host, invitee: Invitee, locale: string): object {
  const { id, email, delivery, reply, lastAt, leftAt, mails, joinedAt, remindedAt } = invitee;
  const answer = readAnswer(reply);
  return {
    id,
    email,
    delivery,
    tone: deliveryTones[delivery],
    code: answer?.code ?? '',
    meaning: answer === null ? '' : host.t(`smtp.${answer.meaning}`, {}, locale),
    reply: reply ?? '',
    at: leftAt ?? lastAt,
    mails,
    joinedAt,
    remindedAt,
    mayResend: joinedAt === null,
  };
}
