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

/** Takes `tag:…` out of what was searched for. */
export function tagsIn(question: string): { slugs: string[]; rest: string } {
  const slugs = [...question.matchAll(TAG_WORD)].map((match) => slugOf(match[1] ?? ''));
  return { slugs: [...new Set(slugs)], rest: question.replace(TAG_WORD, ' ').replace(/\s+/g, ' ').trim() };
}

/** The list of the tickets with this tag. */
export const pathOf = ({ slug }: Pick<Tag, 'slug'>): string =>
  `/tickets?q=${encodeURIComponent(`tag:${slug}`)}`;
