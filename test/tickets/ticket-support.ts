/** What a page says beside its frame. */
export const mainOf = (html: string): string => /<main.*<\/main>/s.exec(html)?.[0] ?? html;
