import { demoSeeding, type DemoScene } from '../../plugin-host/index.ts';
import type { Actor } from '../../shared/actor.ts';
import { ConflictError } from '../../shared/errors.ts';
import { administrator, employees, newcomers, ORGANISATION, owner, supervisor, technicians } from './cast.ts';
import { Stage, type DemoHouse } from './demo-house.ts';
import { addRoutine, addTickets } from './desk-life.ts';
import { addFounding } from './founding.ts';
import { randomFrom } from './random.ts';
import { Story } from './story.ts';
import { planTickets } from './ticket-plans.ts';
import { DAY, HOUR } from './working-hours.ts';

export const STORY_DAYS = 90;
const TICKETS = 200;
/** Any number would do; this one is always the same. */
const SEED = 20_261_121;

export interface DemoSummary {
  organisation: string;
  people: number;
  tickets: number;
  /** Who to sign in as; everybody has the same password. */
  signIn: { role: string; name: string; email: string }[];
}

/** Tells ninety days of a helpdesk through the use cases themselves, so that history, numbers and audit are true. */
export async function seedDemo(
  house: DemoHouse,
  { founder, password, until }: { founder: Actor; password: string; until: number },
): Promise<DemoSummary> {
  if ((await house.users.findByEmail(owner.email)) !== null) throw new ConflictError('seed.already');
  const passwordHash = await house.users.hash(password, { lane: 'sign-in' });
  const period = { from: until - STORY_DAYS * DAY, until };
  const story = new Story();
  const stage = new Stage(house);
  addFounding(story, period.from, { house, stage, founder, passwordHash });
  addTickets(story, planTickets(randomFrom(SEED), period, TICKETS), { house, stage });
  addRoutine(story, period, { house, stage });
  for (const scene of await pluginScenes(house, period)) {
    story.add(scene.at, async () => scene.play(await sceneryOf(stage, password)));
  }
  await story.tell(house.clock, until);
  return {
    organisation: ORGANISATION,
    people: 3 + technicians.length + employees.length + newcomers.length,
    tickets: TICKETS,
    signIn: [
      ['Owner', owner] as const,
      ['Administrator', administrator] as const,
      ['Supervisor', supervisor] as const,
      ...technicians.map((person) => ['Technician', person] as const),
      ...employees.slice(0, 2).map((person) => ['Employee', person] as const),
    ].map(([role, { name, email }]) => ({ role, name, email })),
  };
}

const pluginScenes = async (
  { hooks }: DemoHouse,
  { from, until }: { from: number; until: number },
): Promise<DemoScene[]> =>
  hooks.filter(demoSeeding, [], {
    from,
    until,
    newcomers: newcomers.map(({ after, name, email, locale, office }) => ({
      at: from + after,
      before: from + after + 2 * HOUR,
      name,
      email,
      locale,
      entity: office,
    })),
  });

async function sceneryOf(stage: Stage, password: string): Promise<Parameters<DemoScene['play']>[0]> {
  return {
    administrator: await stage.as(administrator),
    password,
    entities: [...stage.offices].map(([name, id]) => ({ name, id })),
    groups: [...stage.teams].map(([name, id]) => ({ name, id })),
  };
}
