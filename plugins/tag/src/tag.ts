export const tones = ['quiet', 'accent', 'info', 'success', 'warning', 'danger'] as const;
export type Tone = (typeof tones)[number];

export interface Tag {
  id: string;
  name: string;
  /** What is typed in the search: `tag:second-floor`. */
  slug: string;
  tone: Tone;
  createdAt: number;
}

/** `Second floor (east)` → `second-floor-east`; empty when there is no letter or digit in it. */
export const slugOf = (name: string): string =>
  name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60);

const TAG_WORD = /(?<!\S)tag:(\S+)/giu;

/** Those that were searched for. */
export const tagsIn = (question: string): string[] =>
  [...question.matchAll(TAG_WORD)].map((match) => slugOf(match[1] ?? ''));

/** The list of the tickets with this tag. */
export const pathOf = ({ slug }: Pick<Tag, 'slug'>): string =>
  `/tickets?q=${encodeURIComponent(`tag:${slug}`)}`;
