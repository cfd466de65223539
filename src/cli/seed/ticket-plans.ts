import { employees, newcomers, supervisor, technicians, type Persona, type Technician } from './cast.ts';
import type { Random } from './random.ts';
import { details, tales, type Tale } from './tales.ts';
import { askingMoments, DAY, workedFrom } from './working-hours.ts';

/** One thing that somebody does on a ticket. */
export type Step = { at: number; by: Persona } & (
  | { act: 'assign'; to: Technician }
  | { act: 'say'; body: string; then?: 'open' | 'pending' | 'on-hold' }
  | { act: 'note'; body: string }
  | { act: 'raise'; urgency: 4 | 5 }
  | { act: 'solve'; body: string }
  | { act: 'accept' }
  | { act: 'refuse'; body: string }
);

export interface TicketPlan {
  at: number;
  tale: Tale;
  requester: Persona;
  /** Who wrote it down; a technician, when somebody called. */
  by: Persona;
  observers: readonly Persona[];
  title: string;
  description: string;
  steps: readonly Step[];
}

interface Period {
  from: number;
  until: number;
}

/** The newest tickets, which nobody has looked at yet. */
const UNREAD = 4;

/** The tickets of the demo and what becomes of each, as facts: nothing is written yet. */
export function planTickets(random: Random, period: Period, count: number): TicketPlan[] {
  const opening = { ...period, from: period.from + DAY };
  const plans = askingMoments(random, opening, count).map((at) => planTicket(random, at, period));
  return plans.map((plan, at) => (at < count - UNREAD ? plan : { ...plan, by: plan.requester, steps: [] }));
}

function planTicket(random: Random, at: number, period: Period): TicketPlan {
  const requester = random.pick(presentAt(at, period.from));
  const tale = random.pick(tales.filter(({ locale }) => locale === 'en' || locale === requester.locale));
  const fill = filler(random);
  const helper = random.pick(technicians.filter((one) => helpsWith(one, tale, requester)));
  const isCalledIn = random.chance(0.12);
  const colleagues = employees.filter(
    ({ office, email }) => office === requester.office && email !== requester.email,
  );
  return {
    at,
    tale,
    requester,
    by: isCalledIn ? helper : requester,
    observers: random.chance(0.1) ? [random.pick(colleagues)] : [],
    title: capitalised(fill(tale.title)),
    description: fill(tale.text),
    steps: planSteps(random, { at, tale, requester, helper, fill }),
  };
}

const presentAt = (at: number, from: number): Persona[] => [
  ...employees,
  // They open their first ticket soon after they came, so a newcomer counts twice.
  ...newcomers.filter(({ after }) => from + after + DAY < at).flatMap((one) => [one, one]),
];

const helpsWith = ({ teams, only }: Technician, { team }: Tale, { office }: Persona): boolean =>
  teams.includes(team) && (only === null || only === office);

interface Course {
  at: number;
  tale: Tale;
  requester: Persona;
  helper: Technician;
  fill: (text: string) => string;
}

/** How a ticket goes: somebody takes it, asks, hears, perhaps waits, solves; and the requester says whether it helped. */
function planSteps(random: Random, { at, tale, requester, helper, fill }: Course): Step[] {
  const steps: Step[] = [];
  let now = at;
  const later = (least: number, most: number): number => (now = workedFrom(now, random.between(least, most)));
  const isUrgent = tale.urgency >= 4;

  const assigner = random.chance(0.4) ? supervisor : helper;
  steps.push({
    act: 'assign',
    at: later(...(isUrgent ? ([0.1, 1.5] as const) : untilTaken(random))),
    by: assigner,
    to: helper,
  });
  if (tale.urgency === 3 && random.chance(0.1))
    steps.push({ act: 'raise', at: later(0.1, 1), by: supervisor, urgency: 4 });

  const isForgotten = random.chance(0.08);
  if (tale.ask !== undefined && random.chance(0.75)) {
    steps.push({
      act: 'say',
      at: later(0.1, isUrgent ? 1 : 5),
      by: helper,
      body: fill(tale.ask),
      then: 'pending',
    });
    if (isForgotten) return steps;
    steps.push({ act: 'say', at: later(0.3, 24), by: requester, body: fill(tale.answer ?? 'Yes.') });
  }
  if (tale.note !== undefined && random.chance(0.6))
    steps.push({ act: 'note', at: later(0.1, 3), by: helper, body: fill(tale.note) });
  if (tale.hold !== undefined) {
    steps.push({ act: 'say', at: later(0.2, 4), by: helper, body: fill(tale.hold), then: 'on-hold' });
    if (isForgotten) return steps;
    later(12, 45);
  }
  steps.push({
    act: 'solve',
    at: later(...(isUrgent ? ([0.3, 7] as const) : untilSolved(random))),
    by: helper,
    body: fill(tale.solution),
  });
  return [...steps, ...planVerdict(random, { now, tale, requester, helper, fill })];
}

type Hours = readonly [least: number, most: number];

/** Most tickets are taken the same day; some wait until somebody has time. */
const untilTaken = (random: Random): Hours => (random.chance(0.85) ? [0.1, 5] : [5, 30]);

/** Most are solved within a day or two; a few take weeks. */
function untilSolved(random: Random): Hours {
  if (random.chance(0.5)) return [0.5, 14];
  return random.chance(0.65) ? [14, 60] : [60, 190];
}

function planVerdict(
  random: Random,
  { now, tale, requester, helper, fill }: Omit<Course, 'at'> & { now: number },
): Step[] {
  const heardAt = workedFrom(now, random.between(0.2, 12));
  if (random.chance(0.07)) {
    const body =
      tale.locale === 'fr' ? 'Le problème est revenu ce matin.' : 'I am afraid it came back this morning.';
    const again = tale.locale === 'fr' ? 'Cela devrait tenir cette fois :' : 'This time it should hold:';
    const solvedAt = workedFrom(heardAt, random.between(1, 10));
    return [
      { act: 'refuse', at: heardAt, by: requester, body },
      { act: 'solve', at: solvedAt, by: helper, body: `${again} ${fill(tale.solution)}` },
      { act: 'accept', at: workedFrom(solvedAt, random.between(1, 8)), by: requester },
    ];
  }
  return random.chance(0.4) ? [{ act: 'accept', at: heardAt, by: requester }] : [];
}

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Fills in details, the same for one name throughout a ticket. */
function filler(random: Random): (text: string) => string {
  const drawn = new Map<string, string>();
  return (text) =>
    text.replace(/\{(\w+)\}/g, (whole, name: string) => {
      const known = drawn.get(name) ?? random.pick(details[name] ?? [whole]);
      drawn.set(name, known);
      return known;
    });
}
