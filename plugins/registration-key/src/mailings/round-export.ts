import { text, type Actor, type Host, type Reply } from 'latchkey/plugin-api';
import { csvOf } from '../guard/csv.ts';
import type { Places } from '../keys/places.ts';
import { findInvitees } from './invitee-repository.ts';
import type { LineFilter } from './line-repository.ts';
import type { RoundService } from './round-service.ts';

interface Deps {
  host: Host;
  rounds: RoundService;
  places: Places;
}

/** Who of a list is in and who is not, for a spreadsheet; nothing in it opens anything. */
export async function exportRound(
  { host, rounds, places }: Deps,
  actor: Actor,
  filter: LineFilter,
): Promise<Reply> {
  const names = await places.names();
  const rows: (string | number)[][] = [
    ['line', 'address', 'name', 'groups', 'sent', 'mail', 'answer', 'joined'],
  ];
  for await (const lines of rounds.allLines(actor, filter)) {
    const invitees = await findInvitees(
      host.db,
      lines.flatMap(({ inviteeId }) => (inviteeId === null ? [] : [inviteeId])),
    );
    for (const { line, email, staffNumber, name, groupIds, inviteeId, state } of lines) {
      const invitee = invitees.get(inviteeId ?? '');
      const groups = groupIds.map((id) => names.group(id)).join('; ');
      const { delivery = '', reply = null, joinedAt = null } = invitee ?? {};
      const joined = joinedAt === null ? '' : new Date(joinedAt).toISOString();
      rows.push([line, email || (staffNumber ?? ''), name, groups, state, delivery, reply ?? '', joined]);
    }
  }
  return text(csvOf(rows), 'text/csv; charset=utf-8', {
    headers: { 'Content-Disposition': `attachment; filename="list-${filter.roundId}.csv"` },
  });
}
