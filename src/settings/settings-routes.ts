import { z } from 'zod';
import { redirect, view, type Reply } from '../http/reply.ts';
import { route, type Incoming, type Route } from '../http/route.ts';
import { InvalidInputError, NotFoundError, type FieldProblem } from '../shared/errors.ts';
import type { SettingField, SettingGroup, SettingGroups } from './setting-fields.ts';
import type { Change, SettingsService } from './settings-service.ts';

const access = { right: 'settings.manage' };
const params = z.object({ group: z.string().max(64) });
const form = z.record(z.string(), z.string().max(10_000));
type Typed = z.output<typeof form>;

interface Deps {
  settings: SettingsService;
  groups: SettingGroups;
  translate: (key: string, locale: string) => string;
}

/** Where administrators say how the house is to be: ours, then each plugin's. */
export function settingsRoutes({ settings, groups, translate }: Deps): Route[] {
  async function page(
    { locale }: Pick<Incoming, 'locale'>,
    { errors = [], typed = {}, of }: Shown = {},
  ): Promise<Reply> {
    const shown = await Promise.all(
      groups.all().map((group) => presented(group, { locale, typed: group.id === of ? typed : {} })),
    );
    return view('settings/settings', {
      groups: shown.map((group) => ({ ...group, errors: group.id === of ? errors : [] })),
    });
  }

  async function presented({ id, title, fields }: SettingGroup, about: Reader): Promise<ShownGroup> {
    const shown = await Promise.all(fields.map((field) => presentedField(field, about)));
    return { id, title: translate(title, about.locale), fields: shown };
  }

  async function presentedField(field: SettingField, { typed, locale }: Reader): Promise<object> {
    const { token, kind, choices = [] } = field;
    const isSecret = kind === 'secret';
    const hint = isSecret && (await settings.isSet(token)) ? 'settings:secret.set' : field.hint;
    return {
      name: token.id,
      kind,
      label: translate(field.label, locale),
      hint: hint === undefined ? '' : translate(hint, locale),
      options: choices.map(({ value, label }) => ({
        value,
        label: label ? translate(label, locale) : value,
      })),
      value: typed[token.id] ?? (isSecret ? '' : await settings.get(token)),
    };
  }

  return [
    route({ method: 'get', path: '/admin/settings', access, handler: (incoming) => page(incoming) }),
    route({
      method: 'post',
      path: '/admin/settings/:group',
      access,
      params,
      body: form,
      onRefused: (incoming, { fields }) =>
        page(incoming, {
          of: incoming.params.group,
          errors: fields,
          typed: form.catch({}).parse(incoming.body),
        }),
      handler: async ({ actor, params: { group }, body }) => {
        const fields = fieldsOf(groups, group);
        const changes = changesFrom(fields, body);
        for (const { token, value } of changes)
          await fields.find((field) => field.token === token)?.assertMay?.(actor, value);
        await settings.change(actor, changes);
        const flash = { kind: 'success' as const, code: 'settings:flash.saved' };
        return redirect(`/admin/settings#${group}`, { flash });
      },
    }),
  ];
}

interface Reader {
  locale: string;
  typed: Typed;
}

interface ShownGroup {
  id: string;
  title: string;
  fields: object[];
}

interface Shown {
  /** The group that was refused. */
  of?: string;
  errors?: readonly FieldProblem[];
  typed?: Typed;
}

function fieldsOf(groups: SettingGroups, id: string): readonly SettingField[] {
  const group = groups.find(id);
  if (!group) throw new NotFoundError('page.not-found');
  return group.fields;
}

/** What was typed, as values. A secret left empty stays what it is. */
function changesFrom(fields: readonly SettingField[], typed: Typed): Change[] {
  const asked = fields.filter(({ kind, token }) => kind !== 'secret' || (typed[token.id] ?? '') !== '');
  const parsed = asked.map((field) => ({
    field,
    result: field.token.schema.safeParse(valueOf(field, typed)),
  }));
  const problems = parsed
    .filter(({ result }) => !result.success)
    .map(({ field }): FieldProblem => ({ field: field.token.id, code: 'setting.invalid' }));
  if (problems.length > 0) throw new InvalidInputError('input.invalid', { fields: problems });
  return parsed.map(({ field: { token }, result }) => ({ token, value: result.data }));
}

function valueOf({ kind, token }: SettingField, typed: Typed): unknown {
  const text = typed[token.id] ?? '';
  if (kind === 'flag') return text === 'true';
  if (kind === 'number') return text.trim() === '' ? undefined : Number(text);
  return text;
}
