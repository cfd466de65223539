export const ratings = [1, 2, 3, 4, 5] as const;
export type Rating = (typeof ratings)[number];

/** `waiting` for its time, then `asked` and perhaps `answered`; `skipped` when there was nobody to ask. */
export const states = ['waiting', 'asked', 'answered', 'skipped'] as const;

export interface Survey {
  id: string;
  ticketId: string;
  ticketNumber: number;
  ticketTitle: string;
  entityId: string;
  requesterId: string;
  state: (typeof states)[number];
  dueAt: number;
  askedAt: number | null;
  endsAt: number | null;
  tokenMac: Buffer | null;
  rating: Rating | null;
  comment: string;
  answeredAt: number | null;
}

export type Answered = Survey & { rating: Rating; answeredAt: number };

export const isRating = (value: unknown): value is Rating => ratings.some((one) => one === value);

/** Answers by rating, the worst first. */
export type Distribution = Readonly<Record<Rating, number>>;

export const answersIn = (distribution: Distribution): number =>
  ratings.reduce((sum, rating) => sum + distribution[rating], 0);

/** Null while nobody has answered. */
export function averageOf(distribution: Distribution): number | null {
  const answers = answersIn(distribution);
  if (answers === 0) return null;
  return ratings.reduce((sum, rating) => sum + rating * distribution[rating], 0) / answers;
}

/** What a face is drawn with and coloured by. */
export const faces: Readonly<
  Record<Rating, { icon: string; tone: 'danger' | 'warning' | 'quiet' | 'success' }>
> = {
  1: { icon: 'mood-cry', tone: 'danger' },
  2: { icon: 'mood-sad', tone: 'warning' },
  3: { icon: 'mood-neutral', tone: 'quiet' },
  4: { icon: 'mood-smile', tone: 'success' },
  5: { icon: 'mood-happy', tone: 'success' },
};

/** From here on nobody needs to be told. */
export const isLow = (rating: Rating): boolean => rating <= 2;
