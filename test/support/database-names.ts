import { dirname, join } from 'node:path';

export const sqliteTemplate = (folder: string): string => join(folder, 'template.sqlite');

/** Schemas of one run share a prefix, so that runs on one server do not meet. */
export const schemaPrefix = (folder: string): string =>
  `latchkey_test_${folder.slice(dirname(folder).length + 1).replace(/\W/g, '_')}`;

export const mysqlTemplate = (folder: string): string => `${schemaPrefix(folder)}_template`;

export function urlOfSchema(mysqlUrl: string, schema: string): string {
  const url = new URL(mysqlUrl);
  url.pathname = `/${schema}`;
  return url.href;
}
