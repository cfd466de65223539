import type { Host, Route } from 'latchkey/plugin-api';
import { joinForm } from '../hooks.ts';
import type { JoinMails } from '../seats/join-mails.ts';
import type { KeyDoor } from '../keys/key-door.ts';
import type { KeyService } from '../keys/key-service.ts';
import type { Places } from '../keys/places.ts';
import { NUMBER_FIELD, RosterBook } from '../roster/roster-book.ts';
import { rosterRoutes } from '../roster/roster-routes.ts';
import { RosterService } from '../roster/roster-service.ts';
import { AgainService } from './again-service.ts';
import { InvitationPost } from './invitation-post.ts';
import { inviteeRoutes } from './invitee-routes.ts';
import { MailWatch } from './mail-watch.ts';
import { MailingService } from './mailing-service.ts';
import { reachApi } from './reach-api.ts';
import { reachCommands } from './reach-commands.ts';
import { Reminders } from './reminders.ts';
import { sweepRounds } from './round-repository.ts';
import { roundRoutes } from './round-routes.ts';
import { RoundRunner } from './round-runner.ts';
import { RoundService } from './round-service.ts';

interface Deps {
  host: Host;
  door: KeyDoor;
  mails: JoinMails;
  keys: KeyService;
  places: Places;
}

export interface Reach {
  mailings: MailingService;
  rosters: RosterBook;
  rounds: RoundService;
  routes: Route[];
}

const DAY_MS = 86_400_000;
/** A list nobody sent; and the lines of a round that is long over: what was sent stays with the key. */
const DRAFT_LIFE_MS = 7 * DAY_MS;
const LINES_LIFE_MS = 90 * DAY_MS;

/** Everything by which a key gets to people: lists, rounds, mails, reminders, rosters. */
export function standReach({ host, door, mails, keys, places }: Deps): Reach {
  const post = new InvitationPost({ host, door, mails });
  const book = new RosterBook(host);
  const watch = new MailWatch(host);
  const reminders = new Reminders({ host, post });
  const runner = new RoundRunner({ host, keys, post, rosters: book });
  const rounds = new RoundService({ host, keys, places, rosters: book, runner });
  const again = new AgainService({ host, post, rosters: book, runner });
  const rosters = new RosterService({ host, book });
  const mailings = new MailingService({ host, post });

  host.job('send-rounds', async ({ signal }) => {
    await runner.runIdle(signal);
    await watch.follow(signal);
  });
  host.job('remind-invited', async ({ signal }) => {
    await reminders.send(signal);
    const now = host.clock.now();
    const before = { draftsBefore: now - DRAFT_LIFE_MS, linesBefore: now - LINES_LIFE_MS, limit: 5 };
    await host.transaction((tx) => sweepRounds(tx, before));
  });
  host.filter(joinForm, async (fields, { key, locale }) => {
    const roster = await book.of(key);
    if (roster?.kind !== 'number') return fields;
    const question = {
      name: NUMBER_FIELD,
      label: host.t('roster.number', {}, locale),
      hint: host.t('roster.number-hint', {}, locale),
      kind: 'text',
      required: true,
    } as const;
    return [question, ...fields];
  });
  for (const command of reachCommands({ host, keys, rounds, again, rosters, mailings, runner }))
    host.command(command);

  return {
    mailings,
    rosters: book,
    rounds,
    routes: [
      ...roundRoutes({ host, rounds, again, places }),
      ...inviteeRoutes({ host, keys, again }),
      ...rosterRoutes({ host, rosters, again }),
      ...reachApi({ host, rounds, again, rosters, keys, mailings }),
    ],
  };
}
