import mysql, { type Connection, type RowDataPacket } from 'mysql2/promise';
import { mysqlTemplate, schemaPrefix, urlOfSchema } from './database-names.ts';

interface TableFacts {
  name: string;
  create: string;
  isEmpty: boolean;
}

/**
 * Schemas that look freshly migrated. Making one costs a hundred times what cleaning one does (each CREATE TABLE is a
 * file and a commit), so what a test gives back is cleaned and handed to the next.
 */
export class MysqlSchemas {
  readonly #url: string;
  readonly #prefix: string;
  readonly #template: string;
  readonly #ready: string[] = [];
  #connection: Promise<Connection> | null = null;
  #tables: Promise<TableFacts[]> | null = null;
  #made = 0;

  constructor({ mysqlUrl, folder }: { mysqlUrl: string; folder: string }) {
    this.#url = mysqlUrl;
    this.#prefix = `${schemaPrefix(folder)}_${String(process.pid)}`;
    this.#template = mysqlTemplate(folder);
  }

  /** The URL of a schema with all tables and what migrations put into them. */
  async take(): Promise<string> {
    return urlOfSchema(this.#url, this.#ready.pop() ?? (await this.#make()));
  }

  async takeEmpty(): Promise<string> {
    return urlOfSchema(this.#url, await this.#create());
  }

  async giveBack(url: string): Promise<void> {
    const schema = new URL(url).pathname.slice(1);
    if (await this.#clean(schema)) this.#ready.push(schema);
    else await this.drop(url);
  }

  async drop(url: string): Promise<void> {
    await this.#run(`DROP DATABASE ${new URL(url).pathname.slice(1)}`);
  }

  async close(): Promise<void> {
    const connection = await this.#connection;
    this.#connection = null;
    await connection?.end();
  }

  async #create(): Promise<string> {
    this.#made += 1;
    const schema = `${this.#prefix}_${String(this.#made)}`;
    await this.#run(`CREATE DATABASE ${schema}`);
    return schema;
  }

  async #make(): Promise<string> {
    const schema = await this.#create();
    const tables = await this.#tablesOfTemplate();
    await this.#runUnchecked(schema, [
      ...tables.map(({ create }) => create),
      ...tables.flatMap((table) => this.#fill(table)),
    ]);
    return schema;
  }

  /** False when a test changed the schema beyond what can be put back. */
  async #clean(schema: string): Promise<boolean> {
    const tables = await this.#tablesOfTemplate();
    const known = new Set(tables.map(({ name }) => name));
    const present = await this.#tableNames(schema);
    if (tables.some(({ name }) => !present.includes(name))) return false;
    // Ours come without; a server that was still at work when its rows went may have made them again.
    if ((await this.#rows(`SHOW TRIGGERS FROM ${schema}`)).length > 0) return false;
    const added = present.filter((name) => !known.has(name));
    await this.#runUnchecked(schema, [
      ...added.map((name) => `DROP TABLE \`${name}\``),
      ...tables.flatMap((table) => [`DELETE FROM \`${table.name}\``, ...this.#fill(table)]),
    ]);
    return true;
  }

  #fill({ name, isEmpty }: TableFacts): string[] {
    return isEmpty ? [] : [`INSERT INTO \`${name}\` SELECT * FROM ${this.#template}.\`${name}\``];
  }

  #tablesOfTemplate(): Promise<TableFacts[]> {
    this.#tables ??= this.#readTemplate();
    return this.#tables;
  }

  async #readTemplate(): Promise<TableFacts[]> {
    const names = await this.#tableNames(this.#template);
    return Promise.all(
      names.map(async (name) => {
        const qualified = `${this.#template}.\`${name}\``;
        const [definition] = await this.#rows(`SHOW CREATE TABLE ${qualified}`);
        const rows = await this.#rows(`SELECT 1 FROM ${qualified} LIMIT 1`);
        return { name, create: String(definition?.['Create Table']), isEmpty: rows.length === 0 };
      }),
    );
  }

  async #tableNames(schema: string): Promise<string[]> {
    const rows = await this.#rows(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = '${schema}'`,
    );
    return rows.map(({ name }) => String(name));
  }

  #runUnchecked(schema: string, statements: string[]): Promise<void> {
    return this.#run(
      [
        `USE ${schema}`,
        'SET foreign_key_checks = 0, innodb_ft_enable_stopword = OFF',
        ...statements,
        'SET foreign_key_checks = 1',
      ].join(';\n'),
    );
  }

  async #run(sql: string): Promise<void> {
    await (await this.#connect()).query(sql);
  }

  async #rows(sql: string): Promise<RowDataPacket[]> {
    const [rows] = await (await this.#connect()).query<RowDataPacket[]>(sql);
    return rows;
  }

  #connect(): Promise<Connection> {
    this.#connection ??= mysql.createConnection({ uri: this.#url, multipleStatements: true });
    return this.#connection;
  }
}

export interface Places {
  folder: string;
  mysqlUrl: string | null;
}

/** A server that is not ours is left as it was. */
export async function dropSchemas({ folder, mysqlUrl }: Places): Promise<void> {
  if (mysqlUrl === null) return;
  const connection = await mysql.createConnection(mysqlUrl);
  const [rows] = await connection.query<mysql.RowDataPacket[]>(
    'SELECT schema_name AS name FROM information_schema.schemata WHERE LEFT(schema_name, ?) = ?',
    [schemaPrefix(folder).length, schemaPrefix(folder)],
  );
  for (const { name } of rows) await connection.query(`DROP DATABASE ${String(name)}`);
  await connection.end();
}

export async function executeOn(mysqlUrl: string, statement: string): Promise<void> {
  const connection = await mysql.createConnection(mysqlUrl);
  await connection.query(statement);
  await connection.end();
}
