/** Groups of states, as tabs show them. */
export const tabs = ['active', 'scheduled', 'finished', 'all'] as const;
export type Tab = (typeof tabs)[number];

/** One state alone, or one kind of key. */
export const states = [
  'paused',
  'needs-approval',
  'expired',
  'used-up',
  'revoked',
  'custom',
  'member',
] as const;
export type State = (typeof states)[number];

export const sorts = ['newest', 'oldest', 'ending', 'used', 'label'] as const;
export type Sort = (typeof sorts)[number];

const isState = (name: string): name is State => (states as readonly string[]).includes(name);

/** A program names either in one word. */
export const tabOrState = (name: Tab | State): { tab: Tab; state?: State } =>
  isState(name) ? { tab: 'all', state: name } : { tab: name };
