import { InvalidInputError, type FieldProblem } from '../shared/errors.ts';
import type { Attributes } from './user-attribute-repository.ts';

/** Names that a page can say in the reader's language; any other name is shown as it is. */
export const knownAttributes = ['phone', 'mobile', 'job', 'department', 'location', 'staff-number'] as const;

const NAME = /^[a-z][a-z0-9]*([._-][a-z0-9]+)*$/;
const LONGEST_NAME = 64;
const LONGEST_VALUE = 1000;
const MOST = 100;

/** Trimmed, or an error that names what is wrong. An empty value is a wish to forget it. */
export function assertAttributes(attributes: Attributes): Attributes {
  const tidy = Object.entries(attributes).map(
    ([name, value]) => [name.trim().toLowerCase(), value.normalize('NFC').trim()] as const,
  );
  const fields: FieldProblem[] = tidy.flatMap(([name, value]) => {
    if (!NAME.test(name) || name.length > LONGEST_NAME)
      return [{ field: 'attributes', code: 'user.attribute-name', params: { name: name.slice(0, 80) } }];
    if (value.length > LONGEST_VALUE)
      return [{ field: 'attributes', code: 'user.attribute-long', params: { name, maximum: LONGEST_VALUE } }];
    return [];
  });
  if (tidy.length > MOST)
    fields.push({ field: 'attributes', code: 'user.attributes-many', params: { maximum: MOST } });
  if (fields.length > 0) throw new InvalidInputError('input.invalid', { fields });
  return Object.fromEntries(tidy);
}

/** For pages: with the name as an i18n key where we have words for it. */
export const presentAttributes = (
  attributes: Attributes,
): { name: string; label: string | null; value: string }[] =>
  Object.entries(attributes).map(([name, value]) => ({
    name,
    label: knownAttributes.some((known) => known === name) ? `accounts:attribute.${name}` : null,
    value,
  }));
