import { basename, join } from 'node:path';
import type { AuditService } from '../audit/index.ts';
import type { Database, Tx } from '../db/database.ts';
import { ConflictError } from '../shared/errors.ts';
import type { Command } from './command.ts';
import { createBackup, restoreBackup } from './backup.ts';

type BackupDeps = Parameters<typeof restoreBackup>[0];

interface Deps {
  db: Database;
  dataDir: string;
  filesFolder: string;
  version: string;
  audit: Pick<AuditService, 'record'>;
  hasPeople(): Promise<boolean>;
  appendOnly(): readonly string[];
  makeTables: BackupDeps['makeTables'];
  /** What servers of this house are called that have lately been heard of. */
  servers(): Promise<readonly string[]>;
  /** Ends sessions and holds what would leave the house, in the transaction of the restore (ruling 32). */
  makeSafe(tx: Tx): Promise<void>;
}

export function backupCommands(deps: Deps): Command[] {
  return [
    {
      name: 'backup',
      summary: 'Writes one archive with all rows and attachments; the key file is yours to keep elsewhere',
      options: [
        {
          flags: '--output <file>',
          description: 'where to; a name with the time in <data>/backups unless said',
        },
      ],
      run: async ({ actor, options, print }) => {
        const name = `latchkey-${new Date().toISOString().replace(/[:.]/g, '-')}.tar.gz`;
        const target =
          typeof options['output'] === 'string' ? options['output'] : join(deps.dataDir, 'backups', name);
        const { createdAt, engine, files } = await createBackup(deps, target);
        await deps.db.transaction((tx) => deps.audit.record(tx, actor, entryFor('backup.made', target)));
        const rows = files.reduce((sum, file) => sum + (file.rows ?? 0), 0);
        print({
          file: target,
          createdAt,
          engine,
          rows,
          attachments: files.filter(({ path }) => path.startsWith('files/')).length,
        });
      },
    },
    {
      name: 'restore',
      summary: 'Puts a backup in place of what is there; ends sessions and pauses invitation keys',
      args: '<file>',
      options: [
        {
          flags: '--force',
          description: 'replace the people and tickets that are there, also under servers that run',
        },
        { flags: '--skip-unknown', description: 'leave out what belongs to plugins that are not here' },
      ],
      run: async ({ actor, args, options, print }) => {
        const [source = ''] = args;
        const force = options['force'] === true;
        const servers = await deps.servers();
        if (servers.length > 0 && !force)
          throw new ConflictError('backup.servers-run', { params: { servers: servers.join(', ') } });
        const { createdAt, version, engine } = await restoreBackup(deps, source, {
          force,
          skipUnknown: options['skipUnknown'] === true,
          afterwards: async (tx) => {
            await deps.makeSafe(tx);
            await deps.audit.record(tx, actor, entryFor('backup.restored', source));
          },
        });
        print({
          restored: source,
          createdAt,
          version,
          engine,
          ...(servers.length === 0 ? {} : { restartThese: servers.join(', ') }),
        });
      },
    },
  ];
}

const entryFor = (
  action: string,
  file: string,
): { action: string; subject: { type: string; id: string; label: string } } => ({
  action,
  subject: { type: 'backup', id: basename(file).slice(-64), label: file.slice(-320) },
});
