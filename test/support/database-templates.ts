import { join } from 'node:path';
import { mysqlTemplate, sqliteTemplate, urlOfSchema } from './database-names.ts';
import { furnish } from './house.ts';
import { executeOn, type Places } from './mysql-schemas.ts';

/** Furnishes a house on each engine once; every test gets a copy. */
export async function prepareTemplates({ folder, mysqlUrl }: Places): Promise<void> {
  const dataDir = join(folder, 'template-data');
  await furnish(`sqlite:${sqliteTemplate(folder)}`, dataDir);
  if (mysqlUrl === null) return;
  await executeOn(mysqlUrl, `CREATE DATABASE ${mysqlTemplate(folder)}`);
  await furnish(urlOfSchema(mysqlUrl, mysqlTemplate(folder)), dataDir);
}
