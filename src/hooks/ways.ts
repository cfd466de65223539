import { VetoError } from '../shared/errors.ts';
import type { Way } from './guarded-run.ts';
import type { Contributed, Refusal } from './tokens.ts';

/** A value through every listener; nothing said leaves it as it is. */
export const filtering: Way = {
  ask: ({ call }, value, context) => call(value, context),
  take: (answer, value) => (answer === undefined ? value : answer),
};

/** Until somebody has a reason against it. */
export const asking: Way = {
  ask: ({ call }, _value, context) => call(context),
  take: (answer) => {
    if (answer) throw vetoed(answer);
  },
};

/** What everybody adds, with its owner's name. */
export const gathering: Way = {
  ask: ({ call }, _value, context) => call(context),
  take: (thing, value, { owner }) => {
    const things = value as readonly Contributed<unknown>[];
    return thing === null || thing === undefined ? things : [...things, { owner, thing }];
  },
};

export function vetoed(refusal: unknown): VetoError {
  const { code, params = {}, field } = refusal as Refusal;
  const fields = field === undefined ? [] : [{ field, code, params }];
  return new VetoError(code, { params, fields });
}
