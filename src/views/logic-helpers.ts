import { type Helper, helper, textOf } from './helper-call.ts';

const full = (value: unknown): boolean => Boolean(Array.isArray(value) ? value.length : value);

/** Small questions; all of them can stand inside `{{#if (…)}}`. */
export const logicHelpers: Record<string, Helper> = {
  eq: helper(({ args: [one, other] }) => one === other),
  same: helper(({ args: [one, other] }) => textOf(one) === textOf(other)),
  some: helper(({ args: [value] }) => value !== undefined && value !== null && value !== ''),
  ne: helper(({ args: [one, other] }) => one !== other),
  gt: helper(({ args: [one, other] }) => Number(one) > Number(other)),
  gte: helper(({ args: [one, other] }) => Number(one) >= Number(other)),
  lt: helper(({ args: [one, other] }) => Number(one) < Number(other)),
  /** Nothing rather than `false`, so that `(default (and …) …)` has something to fall back to. */
  and: helper(({ args }) => (args.every(full) ? args.at(-1) : undefined)),
  or: helper(({ args }) => args.find(full) ?? args.at(-1)),
  not: helper(({ args: [value] }) => !full(value)),
  includes: helper(({ args: [list, item] }) => Array.isArray(list) && list.includes(item)),
  concat: helper(({ args }) => args.map(textOf).join('')),
  list: helper(({ args }) => args),
  record: helper(({ hash }) => hash),
  add: helper(({ args }) => args.reduce<number>((sum, value) => sum + Number(value), 0)),
  default: helper(({ args: [value, otherwise] }) =>
    value === undefined || value === null || value === '' ? otherwise : value,
  ),
};
