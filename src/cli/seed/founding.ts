import { BUILT_IN_PROFILES, ROOT_ENTITY_ID } from '../../identity/index.ts';
import { organisation, setupCompletedAt, siteTimeZone } from '../../settings/index.ts';
import type { Actor } from '../../shared/actor.ts';
import {
  administrator,
  employees,
  newcomers,
  offices,
  ORGANISATION,
  owner,
  supervisor,
  teams,
  technicians,
  type Persona,
} from './cast.ts';
import { idIn, type DemoHouse, type Stage } from './demo-house.ts';
import type { Story } from './story.ts';
import { categories } from './tales.ts';
import { HOUR, MINUTE } from './working-hours.ts';

interface Founding {
  house: DemoHouse;
  stage: Stage;
  /** Whoever runs the command. */
  founder: Actor;
  passwordHash: string;
}

type ProfileKey = keyof typeof BUILT_IN_PROFILES;

/** How the organisation comes into being: the owner, offices and teams on the first morning, then everybody else. */
export function addFounding(story: Story, from: number, founding: Founding): void {
  const { house, stage } = founding;
  const morning = from + 8 * HOUR;
  story.add(morning, () => giveOwner(founding));
  story.add(morning + 5 * MINUTE, async () => {
    const actor = await stage.as(owner);
    for (const name of offices) {
      stage.offices.set(name, (await house.entityAdmin.create(actor, { name, parentId: ROOT_ENTITY_ID })).id);
    }
    await hire(founding, actor, administrator, { profile: 'administrator', entityId: ROOT_ENTITY_ID });
    await hire(founding, actor, supervisor, { profile: 'supervisor', entityId: ROOT_ENTITY_ID });
  });
  story.add(morning + 50 * MINUTE, () => giveDesk(founding));
  employees.forEach((person, at) => {
    story.add(morning + 2 * HOUR + at * 7 * MINUTE, async () => {
      await hireAt(founding, await stage.as(administrator), person);
    });
  });
  for (const person of newcomers) {
    // Who let themselves in by then is there already.
    story.add(from + person.after + 2 * HOUR, async () => {
      if ((await stage.find(person)) === null) await hireAt(founding, await stage.as(administrator), person);
    });
  }
}

async function giveOwner(founding: Founding): Promise<void> {
  const { house, founder } = founding;
  const { db, settings, clock } = house;
  await hire(founding, founder, owner, { profile: 'super-admin', entityId: ROOT_ENTITY_ID });
  await db.transaction(async (tx) => {
    // A house that has a name and an owner keeps them.
    if (!(await settings.setOnce(tx, founder, setupCompletedAt, clock.now()))) return;
    await settings.set(tx, founder, organisation, ORGANISATION);
    await settings.set(tx, founder, siteTimeZone, 'Europe/Paris');
  });
  if ((await settings.get(organisation)) !== ORGANISATION) return;
  const root = (await house.entityAdmin.tree()).get(ROOT_ENTITY_ID);
  if (root) await house.entityAdmin.rename(founder, root.id, { name: ORGANISATION, version: root.version });
}

/** Teams, what tickets can be about, and the technicians. */
async function giveDesk(founding: Founding): Promise<void> {
  const { house, stage } = founding;
  const actor = await stage.as(administrator);
  for (const name of teams) {
    stage.teams.set(name, (await house.groupAdmin.create(actor, { name, entityId: ROOT_ENTITY_ID })).id);
  }
  for (const name of categories) {
    const category = await house.tickets.categories.create(actor, { name, entityId: ROOT_ENTITY_ID });
    stage.categories.set(name, category.id);
  }
  for (const person of technicians) {
    const entityId = person.only === null ? ROOT_ENTITY_ID : idIn(stage.offices, person.only);
    const userId = await hire(founding, actor, person, { profile: 'technician', entityId });
    await house.db.transaction(async (tx) => {
      for (const team of person.teams) {
        await house.memberships.addToGroup(tx, { userId, groupId: idIn(stage.teams, team) }, { actor });
      }
    });
  }
}

const hireAt = (founding: Founding, actor: Actor, person: Persona): Promise<string> =>
  hire(founding, actor, person, {
    profile: 'self-service',
    entityId: idIn(founding.stage.offices, person.office),
  });

async function hire(
  { house, passwordHash }: Founding,
  actor: Actor,
  { email, name, locale }: Persona,
  { profile, entityId }: { profile: ProfileKey; entityId: string },
): Promise<string> {
  const { db, users, memberships } = house;
  const prepared = await users.prepare({ email, name, locale }, { lane: 'sign-in', hash: passwordHash });
  return db.transaction(async (tx) => {
    const user = await users.insert(tx, prepared, { actor, emailProven: true });
    const grant = { userId: user.id, profileId: BUILT_IN_PROFILES[profile], entityId, recursive: true };
    await memberships.grant(tx, grant, { actor });
    return user.id;
  });
}
