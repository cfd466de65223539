/** A file that somebody gave; before it is sent with a ticket or a reply it belongs to nobody but its uploader. */
export interface Attachment {
  id: string;
  ticketId: string | null;
  /** The follow-up it came with; null for those of the ticket's first text. */
  entryId: string | null;
  uploaderId: string | null;
  name: string;
  /** By its first bytes. */
  mediaType: string;
  size: number;
  /** Of images, so that pages do not jump while they load. */
  width: number | null;
  height: number | null;
  storageKey: string;
  createdAt: number;
}

/** What browsers may show in the page: pictures that cannot carry script. SVG can. */
const shownInline = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);
const MOST_PIXELS = 50_000_000;

export const isShownInline = ({ mediaType, width, height }: Attachment): boolean =>
  shownInline.has(mediaType) && width !== null && height !== null && width * height <= MOST_PIXELS;

/** Endings say nothing here, but browsers save by them: a name without one is fine, an empty one is not. */
export const nameOrFallback = (name: string, fallback: string): string => (name === '' ? fallback : name);
