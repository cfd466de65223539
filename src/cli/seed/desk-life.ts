import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { autoCloseDays } from '../../tickets/index.ts';
import { administrator, owner, supervisor, technicians, type Persona } from './cast.ts';
import { idIn, type DemoHouse, type Stage } from './demo-house.ts';
import type { DemoFile } from './drawings.ts';
import type { Story } from './story.ts';
import type { Step, TicketPlan } from './ticket-plans.ts';
import { DAY, HOUR } from './working-hours.ts';

interface Deps {
  house: DemoHouse;
  stage: Stage;
}

const staff: readonly Persona[] = [owner, administrator, supervisor, ...technicians];

/** Puts the tickets into the story, each with all that becomes of it. */
export function addTickets(story: Story, plans: readonly TicketPlan[], deps: Deps): void {
  for (const plan of plans) {
    let number = 0;
    story.add(plan.at, async () => {
      number = await open(plan, deps);
    });
    for (const step of plan.steps) story.add(step.at, () => take(step, number, deps));
  }
}

/** What goes on whatever tickets there are: the desk's own lists, bells that are read, solved tickets that close by themselves. */
export function addRoutine(story: Story, { from, until }: { from: number; until: number }, deps: Deps): void {
  const { house, stage } = deps;
  story.add(from + DAY + 9 * HOUR, () => saveViews(deps));
  for (let night = from + DAY; night < until; night += DAY) {
    story.add(night + 3 * HOUR, async () => {
      const days = await house.settings.get(autoCloseDays);
      if (days > 0) await house.tickets.solutions.closeLongSolved({ days });
    });
  }
  for (let evening = from + 5 * DAY; evening < until - DAY; evening += 7 * DAY) {
    story.add(evening + 16 * HOUR, async () => {
      for (const person of staff) await house.notifications.markAllRead(await stage.as(person));
    });
  }
}

async function open(plan: TicketPlan, { house, stage }: Deps): Promise<number> {
  const { tale, requester, by, observers, title, description } = plan;
  const writer = await stage.as(by);
  const people = await Promise.all(observers.map((one) => stage.find(one)));
  const attachments = tale.file ? await attach(tale.file, writer, house) : [];
  const { number } = await house.tickets.tickets.create(writer, {
    title,
    description,
    type: tale.type,
    urgency: tale.urgency,
    impact: tale.impact,
    categoryId: idIn(stage.categories, tale.category),
    entityId: idIn(stage.offices, requester.office),
    requesterId: (await stage.as(requester)).userId,
    observers: people.flatMap((person) => person?.id ?? []),
    attachments,
  });
  return number;
}

async function take(step: Step, number: number, { house, stage }: Deps): Promise<unknown> {
  const { tickets, followUps, solutions } = house.tickets;
  const actor = await stage.as(step.by);
  switch (step.act) {
    case 'assign': {
      const { userId } = await stage.as(step.to);
      return tickets.changeNow(actor, number, { assignees: { users: [userId], groups: [] } });
    }
    case 'say':
      return followUps.add(actor, number, { body: step.body, visibility: 'public', then: step.then });
    case 'note':
      return followUps.add(actor, number, { body: step.body, visibility: 'private' });
    case 'raise':
      return tickets.changeNow(actor, number, { urgency: step.urgency });
    case 'solve':
      return solutions.propose(actor, number, { body: step.body });
    case 'accept':
      return solutions.accept(actor, number);
    case 'refuse':
      return solutions.refuse(actor, number, { reason: step.body });
  }
}

async function attach(
  { name, mediaType, content }: DemoFile,
  actor: Awaited<ReturnType<Stage['as']>>,
  { tickets, incoming }: DemoHouse,
): Promise<string[]> {
  const path = join(incoming, randomUUID());
  await mkdir(incoming, { recursive: true, mode: 0o700 });
  await writeFile(path, content, { mode: 0o600 });
  const file = { field: 'attachments', name, mediaType, path, size: content.length };
  return (await tickets.attachments.keep(actor, [file])).map(({ id }) => id);
}

const everything = {
  q: '',
  status: 'active',
  assignee: '',
  category: '',
  entity: '',
  priority: null,
  requester: '',
  from: '',
  to: '',
  sort: 'attention',
  descending: false,
} as const;

async function saveViews({ house, stage }: Deps): Promise<void> {
  const { views } = house.tickets;
  const [lead, network, applications] = [supervisor, technicians[0], technicians[3]];
  const root = [...stage.offices.values()];
  await views.save(await stage.as(lead), {
    name: 'High priority',
    filter: { ...everything, priority: 4, sort: 'created' },
    sharedIn: root[0] ?? null,
  });
  await views.save(await stage.as(lead), {
    name: 'Waiting for somebody else',
    filter: { ...everything, status: 'on-hold', sort: 'updated' },
    sharedIn: null,
  });
  if (network)
    await views.save(await stage.as(network), {
      name: 'Wi-Fi in Berlin',
      filter: {
        ...everything,
        category: idIn(stage.categories, 'Network and Wi-Fi'),
        entity: idIn(stage.offices, 'Berlin'),
        status: 'all',
      },
      sharedIn: null,
    });
  if (applications)
    await views.save(await stage.as(applications), {
      name: 'My teams, oldest first',
      filter: { ...everything, assignee: 'my-groups', sort: 'created' },
      sharedIn: null,
    });
}
