/** Everybody and everything that a page names. */
export interface Names {
  person(id: string | null): string;
  group(id: string): string;
  entity(id: string): string;
  category(id: string | null): string;
}
