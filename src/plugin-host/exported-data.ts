import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { lineToRow } from '../db/dump.ts';
import { InvalidInputError } from '../shared/errors.ts';

const shape = z.object({ table: z.string(), row: z.record(z.string(), z.unknown()) });

export interface ExportedRow {
  table: string;
  row: Record<string, unknown>;
}

/** Every row of a file that an uninstallation wrote. */
export async function* exportedRows(file: string): AsyncGenerator<ExportedRow> {
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(file) })) {
    number += 1;
    if (line !== '') yield rowIn(line, { file, number });
  }
}

function rowIn(line: string, { file, number }: { file: string; number: number }): ExportedRow {
  try {
    const { table, row } = shape.parse(JSON.parse(line));
    return { table, row: lineToRow(JSON.stringify(row)) };
  } catch (cause) {
    throw new InvalidInputError('plugin.export-unreadable', { params: { file, line: number }, cause });
  }
}
