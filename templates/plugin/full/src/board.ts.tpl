import { column, defineTable, newId, type Host, type Tx } from 'latchkey/plugin-api';

const notes = defineTable('__prefix__note', { id: column.text, said: column.text, saidAt: column.instant });

export interface Note {
  id: string;
  said: string;
  saidAt: number;
}

/** The notes, in the plugin's own table. Reads take the database, writes take a transaction. */
export class Board {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  async newest(): Promise<Note[]> {
    const rows = await this.#host.db.knex(notes.name).orderBy('said_at', 'desc').limit(50);
    return rows.map(notes.decode);
  }

  async say(tx: Tx, said: string): Promise<void> {
    await tx.knex(notes.name).insert(notes.encode({ id: newId(), said, saidAt: this.#host.clock.now() }));
  }

  async forgetBefore(tx: Tx, instant: number): Promise<void> {
    await tx.knex(notes.name).where('said_at', '<', instant).delete();
  }
}
