import type { Dashboard } from './dashboard.ts';
import { statusKey } from './ticket-words.ts';
import { activeStatuses } from './ticket.ts';

/** A text by its key, in a language. */
export type Translate = (key: string, params: Record<string, string | number>, locale: string) => string;

interface Language {
  translate: Translate;
  locale: string;
}

/** The numbers of the day in words and lines. */
export function presentDashboard(today: Dashboard, { translate, locale }: Language): object {
  const { byStatus, byCategory, days, averageFirstReplyMs, unassigned, mineTotal } = today;
  const sum = (field: 'created' | 'solved'): number => days.reduce((total, day) => total + day[field], 0);
  return {
    unassigned,
    mineTotal,
    open: [...byStatus.values()].reduce((total, count) => total + count, 0),
    createdIn30: sum('created'),
    solvedIn30: sum('solved'),
    firstReply: averageFirstReplyMs === null ? null : inWords(averageFirstReplyMs),
    byStatus: activeStatuses.map((status) => ({
      label: translate(statusKey(status), {}, locale),
      value: byStatus.get(status) ?? 0,
    })),
    byCategory: byCategory.map(({ name, total }) => ({
      label: name ?? translate('tickets:value.none', {}, locale),
      value: total,
    })),
    flow: presentFlow(days, locale),
  };
}

const WIDTH = 300;
const FLOOR = 170;
const TOP = 10;

/** Two lines on one scale, so that they can be compared. */
function presentFlow(days: Dashboard['days'], locale: string): object {
  const most = Math.max(1, ...days.flatMap(({ created, solved }) => [created, solved]));
  const format = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', timeZone: 'UTC' });
  const named = days.map(({ day, created, solved }) => ({ label: format.format(day), created, solved }));
  return {
    created: pathOf(
      days.map(({ created }) => created),
      most,
    ),
    solved: pathOf(
      days.map(({ solved }) => solved),
      most,
    ),
    days: named,
    first: named.at(0)?.label,
    last: named.at(-1)?.label,
  };
}

function pathOf(values: readonly number[], most: number): string {
  const step = WIDTH / Math.max(1, values.length - 1);
  const points = values.map((value, at) => {
    const y = FLOOR - ((FLOOR - TOP) * value) / most;
    return `${String(Math.round(at * step * 10) / 10)} ${String(Math.round(y * 10) / 10)}`;
  });
  return `M${points.join('L')}`;
}

/** `25 min`, `3 h`, `2 days`: which words, and how many. */
function inWords(ms: number): { key: string; count: number } {
  const minutes = Math.max(1, Math.round(ms / 60_000));
  if (minutes < 90) return { key: 'tickets:duration.minutes', count: minutes };
  const hours = Math.round(minutes / 60);
  if (hours < 48) return { key: 'tickets:duration.hours', count: hours };
  return { key: 'tickets:duration.days', count: Math.round(hours / 24) };
}
