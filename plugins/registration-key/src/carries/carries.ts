import type { Codec, FieldProblem } from 'latchkey/plugin-api';

/** Profile data that a key may bring along; all but name and language become attributes of the account. */
export const givenFields = ['name', 'locale', 'phone', 'mobile', 'job', 'department', 'location'] as const;
export type GivenField = (typeof givenFields)[number];

/** What the form begins with. What is fixed is shown, and never taken from the request. */
export interface Given {
  value: string;
  fixed: boolean;
}

export const questionKinds = ['text', 'paragraph', 'choice', 'yes-no'] as const;
export type QuestionKind = (typeof questionKinds)[number];

/** What an administrator asks of everybody who joins by this key. */
export interface Question {
  /** `question-badge-number`; made of the words, so that other words are another question. */
  name: string;
  label: string;
  kind: QuestionKind;
  options: string[];
  required: boolean;
}

/** How long the accounts live that are made by a key. */
export type AccountLife = { days: number } | { until: number };

/** What a key brings along for whoever joins by it. */
export interface Carries {
  given: Partial<Record<GivenField, Given>>;
  questions: Question[];
  /** Copied to the account as attributes. */
  metadata: Record<string, string>;
  /** Null is without end. */
  account: AccountLife | null;
  /** Pages chosen for this key, beside those that every key has. */
  steps: string[];
}

export interface QuestionDraft {
  name?: string;
  label: string;
  kind: QuestionKind;
  options?: string[];
  required?: boolean;
}

export interface CarriesDraft {
  given?: Partial<Record<GivenField, Given>>;
  questions?: QuestionDraft[];
  metadata?: Record<string, string>;
  account?: AccountLife | null;
  steps?: string[];
}

export const NOTHING: Carries = { given: {}, questions: [], metadata: {}, account: null, steps: [] };

/** Keys of before carry nothing. */
export const carriesColumn: Codec<Carries> = {
  encode: (carries) => JSON.stringify(carries),
  decode: (stored) =>
    typeof stored === 'string' ? { ...NOTHING, ...(JSON.parse(stored) as Partial<Carries>) } : NOTHING,
};

export function completeCarries(draft: CarriesDraft | undefined): Carries {
  if (draft === undefined) return NOTHING;
  const given = Object.entries(draft.given ?? {}).map(
    ([name, one]) => [name, { value: one.value.normalize('NFC').trim(), fixed: one.fixed }] as const,
  );
  const metadata = Object.entries(draft.metadata ?? {}).map(
    ([name, value]) => [name.trim().toLowerCase(), value.normalize('NFC').trim()] as const,
  );
  return {
    given: Object.fromEntries(given.filter(([, { value, fixed }]) => value !== '' || fixed)),
    questions: (draft.questions ?? []).filter(({ label }) => label.trim() !== '').map(completeQuestion),
    metadata: Object.fromEntries(metadata.filter(([name]) => name !== '')),
    account: draft.account ?? null,
    steps: [...new Set(draft.steps ?? [])],
  };
}

const completeQuestion = ({
  name,
  label,
  kind,
  options = [],
  required = false,
}: QuestionDraft): Question => ({
  name: name ?? nameFrom(label),
  label: label.trim(),
  kind,
  options: kind === 'choice' ? options.map((one) => one.trim()).filter((one) => one !== '') : [],
  required,
});

/** `Badge number?` is `question-badge-number`. Words without Latin letters are counted out. */
function nameFrom(label: string): string {
  const slug = label
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 40)
    .replace(/-$/, '');
  return `question-${slug === '' ? sumOf(label) : slug}`;
}

const sumOf = (text: string): string =>
  Array.from(text)
    .reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 4_294_967_291, 7)
    .toString(36);

const LONGEST = { given: 200, label: 200, option: 100, metadata: 1000 };
const MOST = { questions: 20, options: 30, metadata: 30, days: 3650, steps: 20 };
const ATTRIBUTE = /^[a-z][a-z0-9]*([._-][a-z0-9]+)*$/;
const QUESTION = /^question-[a-z0-9]+(-[a-z0-9]+)*$/;

/** Everything that is wrong with it, each with the field it stands in. */
export function carriesProblems(
  carries: Carries,
  { now, before }: { now: number; before?: Carries },
): FieldProblem[] {
  return [
    ...givenProblems(carries),
    ...questionProblems(carries),
    ...metadataProblems(carries),
    ...accountProblems(carries, now, before),
    ...(carries.steps.length > MOST.steps
      ? [{ field: 'steps', code: 'invitation.too_many', params: { limit: MOST.steps } }]
      : []),
  ];
}

function givenProblems({ given }: Carries): FieldProblem[] {
  return Object.entries(given).flatMap(([name, { value, fixed }]): FieldProblem[] => {
    const field = `given-${name}`;
    if (fixed && value === '') return [{ field, code: 'invitation.fixed_empty' }];
    if (value.length > LONGEST.given)
      return [{ field, code: 'invitation.too_long', params: { limit: LONGEST.given } }];
    if (name === 'locale' && value !== 'en' && value !== 'fr')
      return [{ field, code: 'invitation.unknown_choice' }];
    return [];
  });
}

function questionProblems({ questions }: Carries): FieldProblem[] {
  const field = 'questions';
  const problems: FieldProblem[] = [];
  if (questions.length > MOST.questions)
    problems.push({ field, code: 'invitation.too_many', params: { limit: MOST.questions } });
  if (new Set(questions.map(({ name }) => name)).size < questions.length)
    problems.push({ field, code: 'invitation.question_twice' });
  for (const { name, label, kind, options } of questions) {
    if (!QUESTION.test(name) || name.length > 60) problems.push({ field, code: 'invitation.question_name' });
    if (label.length > LONGEST.label)
      problems.push({ field, code: 'invitation.too_long', params: { limit: LONGEST.label } });
    if (kind === 'choice' && (options.length < 2 || options.length > MOST.options))
      problems.push({ field, code: 'invitation.question_options', params: { question: label } });
    if (options.some((option) => option.length > LONGEST.option))
      problems.push({ field, code: 'invitation.too_long', params: { limit: LONGEST.option } });
  }
  return problems;
}

function metadataProblems({ metadata }: Carries): FieldProblem[] {
  const field = 'metadata';
  const entries = Object.entries(metadata);
  const wrong = entries.find(([name]) => !ATTRIBUTE.test(name) || name.length > 64);
  const problems: FieldProblem[] = [];
  if (wrong)
    problems.push({ field, code: 'invitation.metadata_name', params: { name: wrong[0].slice(0, 80) } });
  if (entries.some(([, value]) => value.length > LONGEST.metadata))
    problems.push({ field, code: 'invitation.too_long', params: { limit: LONGEST.metadata } });
  if (entries.length > MOST.metadata)
    problems.push({ field, code: 'invitation.too_many', params: { limit: MOST.metadata } });
  return problems;
}

function accountProblems({ account }: Carries, now: number, before?: Carries): FieldProblem[] {
  if (account === null) return [];
  if ('days' in account) {
    const isSound = Number.isInteger(account.days) && account.days >= 1 && account.days <= MOST.days;
    return isSound
      ? []
      : [{ field: 'accountDays', code: 'invitation.account_days', params: { limit: MOST.days } }];
  }
  const isKept =
    before?.account !== undefined &&
    before.account !== null &&
    'until' in before.account &&
    before.account.until === account.until;
  return account.until > now || isKept ? [] : [{ field: 'accountUntil', code: 'invitation.ends_in_past' }];
}

/** When an account ends that is made now. */
export function accountEnd({ account }: Carries, now: number): number | null {
  if (account === null) return null;
  return 'days' in account ? now + account.days * 86_400_000 : account.until;
}
