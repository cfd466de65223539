/** Everybody and everything that a page names. */
export interface Names {
  person(this: void, id: string | null): string;
  group(this: void, id: string): string;
  entity(this: void, id: string): string;
  category(this: void, id: string | null): string;
}
