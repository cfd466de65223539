import { escapeHtml } from '../helper-call.ts';
import { percent } from './chart-frame.ts';

/** How full an invitation is: joined, in progress, free. The words say the same. */
export function seatBar(seats: {
  used: number;
  pending: number;
  total: number | null;
  label: string;
}): string {
  const whole = Math.max(1, seats.total ?? seats.used + seats.pending + 1);
  const used = Math.min(100, (seats.used * 100) / whole);
  const pending = Math.min(100 - used, (seats.pending * 100) / whole);
  const nearlyFull = seats.total !== null && used + pending >= 80 ? ' seat-bar--nearly-full' : '';
  return `<svg class="seat-bar${nearlyFull}" width="100%" height="8" role="img" aria-label="${escapeHtml(seats.label)}"><rect class="seat-bar__free" width="100%" height="8" rx="4"></rect><rect class="seat-bar__pending" width="${percent(used + pending)}" height="8" rx="4"></rect><rect class="seat-bar__used" width="${percent(used)}" height="8" rx="4"></rect></svg>`;
}
