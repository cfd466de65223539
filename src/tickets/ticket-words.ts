import type { Level, Status } from './ticket.ts';

/** How a status or a priority looks: a word (an i18n key), an icon and a tone, never colour alone. */
export interface Badge {
  key: string;
  icon: string;
  tone: 'success' | 'warning' | 'danger' | 'info' | 'accent' | 'quiet';
}

const statusLooks: Record<Status, Omit<Badge, 'key'>> = {
  new: { icon: 'sparkles', tone: 'accent' },
  open: { icon: 'circle-dot', tone: 'info' },
  pending: { icon: 'hourglass', tone: 'warning' },
  'on-hold': { icon: 'clock-pause', tone: 'quiet' },
  solved: { icon: 'circle-check', tone: 'success' },
  closed: { icon: 'lock', tone: 'quiet' },
};

export const statusBadge = (status: Status): Badge => ({ key: statusKey(status), ...statusLooks[status] });
export const statusKey = (status: Status): string => `tickets:status.${status}`;

const priorityLooks: Record<Level, Omit<Badge, 'key'>> = {
  1: { icon: 'arrow-down', tone: 'quiet' },
  2: { icon: 'arrow-down', tone: 'quiet' },
  3: { icon: 'minus', tone: 'quiet' },
  4: { icon: 'arrow-up', tone: 'warning' },
  5: { icon: 'flame', tone: 'danger' },
};

export const priorityBadge = (level: Level): Badge => ({ key: levelKey(level), ...priorityLooks[level] });
export const levelKey = (level: Level): string => `tickets:level.${String(level)}`;

/** One choice of a list: its words are an i18n key, or a name as it is. */
export interface Choice {
  value: string;
  key?: string;
  label?: string;
  selected: boolean;
}
