import type { InviteeFilter } from './invitee-repository.ts';

/** The ways to look at people by what became of their mail. */
export const shows = ['all', 'waiting', 'accepted', 'refused', 'missing', 'joined'] as const;
export type Show = (typeof shows)[number];

export const filterOf: Record<Show, Pick<InviteeFilter, 'delivery' | 'joined'>> = {
  all: {},
  waiting: { delivery: ['queued', 'sending', 'failed'] },
  accepted: { delivery: ['handed-over'] },
  refused: { delivery: ['dead'] },
  missing: { joined: false },
  joined: { joined: true },
};
