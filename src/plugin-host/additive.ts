/** What takes away or tightens something that the version before still needs. */
const breaking = [
  /\bdrop\s+(table|column)\b/i,
  /\balter\s+table\b.*\b(rename|modify|change)\b/is,
  /\badd\s+column\b(?!.*\bdefault\b).*\bnot\s+null\b/is,
  /^\s*(delete\s+from|truncate)\b/i,
];

/** The first statement after which the version before could not go on: it must stay possible to go back without going back in the schema. */
export const firstBreaking = (statements: readonly string[]): string | undefined =>
  statements.find((statement) => breaking.some((pattern) => pattern.test(statement)));
