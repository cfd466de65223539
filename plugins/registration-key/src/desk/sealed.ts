import { boxIn, type Host, type SealedColumns } from 'latchkey/plugin-api';
import { copyContext } from '../copies/copy.ts';
import { sheetContext } from '../keys/batch-service.ts';
import { contextOf } from '../keys/key-door.ts';
import { entryContext } from '../roster/roster-book.ts';
import { draftContext } from '../seats/proofs.ts';

/** Everything of this plugin that lies sealed, for `latchkey secret doctor`. */
export function sealedHere({ keys }: Host): SealedColumns[] {
  const sealed = (
    table: string,
    box: string,
    context: (row: { id: string; keyId: string; entityId: string; generation: number }) => string,
  ): SealedColumns => ({
    table,
    id: 'id',
    keys,
    boxOf: boxIn(box),
    contextOf: (row) =>
      context({
        id: String(row['id']),
        keyId: String(row['key_id']),
        entityId: String(row['entity_id']),
        generation: Number(row['generation']),
      }),
  });
  return [
    sealed('invite_key', 'copy', contextOf),
    sealed('invite_copy', 'copy', copyContext),
    sealed('invite_attempt', 'draft', ({ id }) => draftContext(id)),
    sealed('invite_batch', 'sheet', ({ id }) => sheetContext(id)),
    sealed('invite_roster_entry', 'sealed', ({ id }) => entryContext(id)),
  ];
}
