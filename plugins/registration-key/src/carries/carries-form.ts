import { DateTime } from 'luxon';
import { InvalidInputError, z, type Host } from 'latchkey/plugin-api';
import {
  givenFields,
  questionKinds,
  type AccountLife,
  type Carries,
  type CarriesDraft,
  type Given,
  type GivenField,
  type QuestionDraft,
} from './carries.ts';

const some = z.string().max(2000).default('');
const many = z
  .union([z.string(), z.array(z.string())])
  .default([])
  .transform((value) => [value].flat().map((one) => one.slice(0, 2000)));

/** Fields of the form for a key that say what it carries; those that repeat belong together by their place. */
export const carriesFormShape = {
  'given-name': some,
  'given-phone': some,
  'given-mobile': some,
  'given-job': some,
  'given-department': some,
  'given-location': some,
  fixed: many,
  question: many,
  questionKind: many,
  questionOptions: many,
  questionRequired: many,
  metadata: z.string().max(20_000).default(''),
  accountDays: some,
  accountUntil: some,
  steps: many,
} as const;

type CarriesForm = { [field in keyof typeof carriesFormShape]: z.output<(typeof carriesFormShape)[field]> };
interface Here {
  timeZone: string;
}

const SPARE_ROWS = 3;

/** The language is a field of the key's form already; here it is only said whether it may be changed. */
export function carriesFromForm(form: CarriesForm & { locale: string }, { timeZone }: Here): CarriesDraft {
  const valueOf = (name: GivenField): string => (name === 'locale' ? form.locale : form[`given-${name}`]);
  const given = givenFields.flatMap((name) => {
    const isFixed = form.fixed.includes(name);
    const value = valueOf(name);
    const isLeftOut = value.trim() === '' || (name === 'locale' && !isFixed);
    const entry: [GivenField, Given] = [name, { value, fixed: isFixed }];
    return isLeftOut ? [] : [entry];
  });
  return {
    given: Object.fromEntries(given),
    questions: form.question.map((label, at) => questionOf(form, label, at)),
    metadata: metadataFrom(form.metadata),
    account: accountFrom(form, timeZone),
    steps: form.steps.filter((id) => id !== ''),
  };
}

function questionOf(form: CarriesForm, label: string, at: number): QuestionDraft {
  return {
    label,
    kind: questionKinds.find((kind) => kind === form.questionKind[at]) ?? 'text',
    options: (form.questionOptions[at] ?? '').split(/[,;\n]/),
    required: form.questionRequired[at] === 'yes',
  };
}

/** A line each: `cost-centre: 4711`. */
function metadataFrom(typed: string): Record<string, string> {
  const lines = typed.split('\n').filter((line) => line.trim() !== '');
  return Object.fromEntries(
    lines.map((line) => {
      const [, name = '', value = ''] = /^\s*([^:=]*?)\s*[:=](.*)$/.exec(line) ?? [];
      if (name === '')
        throw new InvalidInputError('input.invalid', {
          fields: [{ field: 'metadata', code: 'invitation.metadata_line' }],
        });
      return [name, value.trim()] as const;
    }),
  );
}

function accountFrom({ accountDays, accountUntil }: CarriesForm, zone: string): AccountLife | null {
  if (accountDays.trim() !== '') return { days: Number(accountDays) };
  if (accountUntil.trim() === '') return null;
  const until = DateTime.fromISO(accountUntil, { zone });
  if (until.isValid) return { until: until.toMillis() };
  throw new InvalidInputError('input.invalid', {
    fields: [{ field: 'accountUntil', code: 'invitation.not_a_date' }],
  });
}

/** What a key carries, as its edit form shows it. */
export function carriesFormOf(carries: Carries, { timeZone }: Here): Record<string, unknown> {
  const { given, questions, metadata, account, steps } = carries;
  const until = account !== null && 'until' in account ? account.until : null;
  return {
    ...Object.fromEntries(
      givenFields
        .filter((name) => name !== 'locale')
        .map((name) => [`given-${name}`, given[name]?.value ?? '']),
    ),
    fixed: givenFields.filter((name) => given[name]?.fixed === true),
    question: questions.map(({ label }) => label),
    questionKind: questions.map(({ kind }) => kind),
    questionOptions: questions.map(({ options }) => options.join(', ')),
    questionRequired: questions.map(({ required }) => (required ? 'yes' : '')),
    metadata: Object.entries(metadata)
      .map(([name, value]) => `${name}: ${value}`)
      .join('\n'),
    accountDays: account !== null && 'days' in account ? account.days : '',
    accountUntil:
      until === null ? '' : DateTime.fromMillis(until, { zone: timeZone }).toFormat("yyyy-MM-dd'T'HH:mm"),
    steps,
  };
}

interface StepChoice {
  id: string;
  title: string;
  phase: string;
  everywhere: boolean;
}

/** The rows that a template repeats, from what stands in the form now. */
export function presentCarriesForm(
  host: Host,
  form: Readonly<Record<string, unknown>>,
  { locale, steps }: { locale: string; steps: readonly StepChoice[] },
): object {
  const t = (key: string): string => host.t(key, {}, locale);
  const listOf = (name: string): string[] => {
    const value = form[name];
    return Array.isArray(value) ? value.map(String) : typeof value === 'string' ? [value] : [];
  };
  const [fixed, chosen] = [listOf('fixed'), listOf('steps')];
  const [labels, kinds, options, required] = [
    withoutEmptyEnd(listOf('question')),
    listOf('questionKind'),
    listOf('questionOptions'),
    listOf('questionRequired'),
  ];
  const isUsed =
    labels.length > 0 ||
    fixed.length > 0 ||
    chosen.length > 0 ||
    ['metadata', 'accountDays', 'accountUntil', ...givenFields.map((name) => `given-${name}`)].some(
      (name) => form[name] !== undefined && form[name] !== '',
    );
  const rows = [...labels, ...Array<string>(SPARE_ROWS).fill('')];
  return {
    isUsed,
    given: givenFields
      .filter((name) => name !== 'locale')
      .map((name) => ({
        name,
        label: t(`given.${name}`),
        value: form[`given-${name}`] ?? '',
        fixed: fixed.includes(name),
      })),
    localeIsFixed: fixed.includes('locale'),
    questions: rows.map((label, at) => ({
      at,
      number: at + 1,
      label,
      kinds: questionKinds.map((kind) => ({
        value: kind,
        label: t(`question.kind.${kind}`),
        chosen: kind === (kinds[at] ?? 'text'),
      })),
      options: options[at] ?? '',
      required: required[at] === 'yes',
    })),
    steps: steps
      .filter(({ everywhere }) => !everywhere)
      .map(({ id, title, phase }) => ({
        id,
        title,
        phase: t(`step.phase.${phase}`),
        chosen: chosen.includes(id),
      })),
    everywhere: steps.filter(({ everywhere }) => everywhere).map(({ title }) => title),
  };
}

const withoutEmptyEnd = (labels: string[]): string[] =>
  labels.slice(0, labels.findLastIndex((label) => label.trim() !== '') + 1);
