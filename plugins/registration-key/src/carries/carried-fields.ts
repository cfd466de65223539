import type { Host } from 'latchkey/plugin-api';
import type { JoinField } from '../hooks.ts';
import { givenFields, type Carries, type GivenField, type Question } from './carries.ts';

const PREFIX = 'profile-';
const isPlain = (name: GivenField): boolean => name === 'name' || name === 'locale';

export const isProfileField = ({ name }: Pick<JoinField, 'name'>): boolean => name.startsWith(PREFIX);

/** What this key itself adds to the join form: profile data it brings along, and its questions. */
export function carriedFields(host: Host, { given, questions }: Carries, locale: string): JoinField[] {
  const t = (key: string): string => host.t(key, {}, locale);
  const profile = givenFields.flatMap((name): JoinField[] => {
    const one = given[name];
    if (one === undefined || isPlain(name)) return [];
    const { value, fixed } = one;
    return [{ name: PREFIX + name, label: t(`given.${name}`), kind: 'text', required: false, value, fixed }];
  });
  return [...profile, ...questions.map((question) => asField(question, t))];
}

const kinds = { text: 'text', paragraph: 'textarea', choice: 'select', 'yes-no': 'select' } as const;

function asField({ name, label, kind, options, required }: Question, t: (key: string) => string): JoinField {
  const field: JoinField = { name, label, kind: kinds[kind], required };
  if (kind === 'choice') return { ...field, options: options.map((value) => ({ value, label: value })) };
  if (kind !== 'yes-no') return field;
  return { ...field, options: ['yes', 'no'].map((value) => ({ value, label: t(`answer.${value}`) })) };
}

/** Name and language as the key has them fixed, whatever the request says. */
export function withFixed<F extends { name: string; locale: string }>(form: F, { given }: Carries): F {
  const name = given.name?.fixed === true ? given.name.value : form.name;
  const locale = given.locale?.fixed === true ? given.locale.value : form.locale;
  return { ...form, name, locale };
}

/** What becomes of it in the account: metadata, and profile data as it was fixed or typed. */
export function attributesFrom(
  { given, metadata }: Carries,
  answers: Readonly<Record<string, string>>,
): Record<string, string> {
  const attributes: Record<string, string> = { ...metadata };
  for (const name of givenFields) {
    const one = given[name];
    if (one === undefined || isPlain(name)) continue;
    const value = one.fixed ? one.value : (answers[PREFIX + name] ?? one.value);
    if (value !== '') attributes[name] = value;
  }
  return attributes;
}

/** A question with its answer as people read them. */
export interface Answered {
  name: string;
  question: string;
  answer: string;
}

/** Answers in the words they were asked with; profile data stands in the account instead. */
export function answered(
  host: Host,
  { questions }: Carries,
  answers: Readonly<Record<string, string>>,
  locale: string,
): Answered[] {
  return Object.entries(answers)
    .filter(([name, answer]) => answer !== '' && !name.startsWith(PREFIX))
    .map(([name, answer]) => {
      const question = questions.find((one) => one.name === name);
      const isWord = question?.kind === 'yes-no' && (answer === 'yes' || answer === 'no');
      return {
        name,
        question: question?.label ?? name,
        answer: isWord ? host.t(`answer.${answer}`, {}, locale) : answer,
      };
    });
}

/** Clauses for the sentence that says what a key does. */
export function carriesInWords(
  { account, questions }: Carries,
  at: (moment: number) => string,
): [string, Record<string, string | number>][] {
  const clauses: [string, Record<string, string | number>][] = [];
  if (questions.length > 0) clauses.push(['questions', { count: questions.length }]);
  if (account !== null && 'days' in account) clauses.push(['account-days', { count: account.days }]);
  if (account !== null && 'until' in account) clauses.push(['account-until', { at: at(account.until) }]);
  return clauses;
}
