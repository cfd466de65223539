const called = /(^|\s)##([a-z0-9][a-z0-9-]{0,38})(?=$|[\s.,;!?])/g;

/** Short names that stand in a text. */
export const namesIn = (text: string): string[] => [
  ...new Set([...text.matchAll(called)].map((match) => match[2] ?? '')),
];

/** The text with what the names stand for; a name nobody knows stays as it was typed. */
export const expanded = (text: string, bodies: ReadonlyMap<string, string>): string =>
  text.replace(called, (whole, before: string, name: string) => {
    const body = bodies.get(name);
    return body === undefined ? whole : `${before}${body}`;
  });
