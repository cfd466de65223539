import type { Host, Queryable } from 'latchkey/plugin-api';
import { countByStatus } from '../seats/redemption-repository.ts';
import { failReasons, type FailReason } from './funnel.ts';
import { countFirstTickets, readFunnel } from './funnel-repository.ts';

export interface FunnelFacts {
  opened: number;
  scanners: number;
  started: number;
  failed: number;
  failures: { reason: FailReason; count: number }[];
  /** A seat taken, whether or not the address is confirmed and somebody has said yes. */
  created: number;
  joined: number;
  firstTicket: number;
}

/** How far people came with a key, since it was made. */
export async function funnelOf(db: Queryable, keyId: string): Promise<FunnelFacts> {
  const counts = await readFunnel(db, keyId);
  const seats = await countByStatus(db, keyId);
  const sum = (step: string, reason?: string): number =>
    counts
      .filter((one) => one.step === step && (reason === undefined || one.reason === reason))
      .reduce((total, { amount }) => total + amount, 0);
  const opened = sum('opened');
  const created =
    seats.active + seats.pending_email + seats.pending_approval + seats.released + seats.declined;
  return {
    opened,
    // A link that was followed by something which never came back with its cookie was not followed by a person.
    scanners: sum('scanned') + Math.max(0, sum('followed') + sum('typed') - opened),
    started: sum('started'),
    failed: sum('failed'),
    failures: failReasons
      .map((reason) => ({ reason, count: sum('failed', reason) }))
      .filter(({ count }) => count > 0)
      .sort((one, other) => other.count - one.count),
    created,
    joined: seats.active,
    firstTicket: await countFirstTickets(db, keyId),
  };
}

/** As bars, the widest on top, with the share of those before. */
export function presentFunnel(host: Host, facts: FunnelFacts, { locale }: { locale: string }): object {
  const t = (key: string, params: Record<string, string | number> = {}): string =>
    host.t(`funnel.${key}`, params, locale);
  const steps = [
    ['opened', facts.opened],
    ['started', facts.started],
    ['created', facts.created],
    ['joined', facts.joined],
    ['ticket', facts.firstTicket],
  ] as const;
  const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 });
  const share = (at: number): string => {
    const before = steps[at - 1]?.[1] ?? 0;
    const now = steps[at]?.[1] ?? 0;
    return at === 0 || before === 0 || now > before ? '' : percent.format(now / before);
  };
  return {
    bars: steps.map(([name, value], at) => ({
      label: share(at) === '' ? t(name) : t('of-before', { step: t(name), share: share(at) }),
      value,
    })),
    scanners: facts.scanners,
    failed: facts.failed,
    failures: facts.failures.map(({ reason, count }) => ({ words: t(`failed-${reason}`), count })),
  };
}
