import { demoSeeding, type DemoNewcomer, type DemoPeriod, type DemoScene } from 'latchkey/plugin-api';
import { Doorkeeper, type DemoServices, type Person } from './demo-doorkeeper.ts';
import { DAY_MS } from './keys/key-terms.ts';

const HOUR_MS = 3_600_000;
const freelancer = (email: string): boolean => email.endsWith('@example.org');

const waiting: Person = { name: 'Nora Feldmann', email: 'nora.feldmann@example.org', locale: 'en' };
const declined: Person = { name: 'Buy Cheap Toner', email: 'toner-offers@example.org', locale: 'en' };

const late: Person = { name: 'Inès Faure', email: 'ines.faure@acme.example', locale: 'fr' };
const places = ['', 'HR', 'Poster'];

const welcomePage = {
  phase: 'after',
  everywhere: true,
  title: 'Three things to know',
  body: '- Write one ticket for each problem.\n- You are told of every answer by e-mail.\n- For an outage, ring **4000**.',
  agreement: '',
} as const;
const houseRules = {
  phase: 'before',
  everywhere: false,
  title: 'House rules',
  body: 'Be kind to those who help you. What you write is read by the service desk only.',
  agreement: 'I have read the house rules',
} as const;

const staffNumbers = ['A-1042', 'A-1043', 'A-1051', 'A-1060', 'A-1077'].join('\n');
const newHires = `email,name,groups,language
clara.weber@acme.example,Clara Weber,Network,de
hugo.perrin@acme.example,Hugo Perrin,Workplace,fr
sarah.cole@acme.example,Sarah Cole,,en
karim.benali@acme.example,Karim Benali,Network,fr
milo.garnier@acme,Milo Garnier,,fr
clara.weber@acme.example,Clara Weber,,de
`;

/** A key in every state a key can be in, and people who came by them, for `latchkey seed demo`. */
export function playInDemo(services: DemoServices): void {
  services.host.filter(demoSeeding, (scenes, period) => [
    ...scenes,
    ...scenesOf(period, new Doorkeeper(services)),
  ]);
}

function scenesOf({ from, until, newcomers }: DemoPeriod, door: Doorkeeper): DemoScene[] {
  const scenes: DemoScene[] = [];
  const on = (at: number, play: DemoScene['play']): void => void scenes.push({ at, play });
  const day = (count: number): number => from + count * DAY_MS + 9 * HOUR_MS;
  const ago = (days: number): number => until - days * DAY_MS + 10 * HOUR_MS;
  const ahead = (days: number): number => until + days * DAY_MS;
  const joining = (entity: string): DemoNewcomer[] =>
    newcomers.filter((one) => one.entity === entity && !freelancer(one.email));

  on(
    day(2),
    door.mints('paris', 'Paris', {
      label: 'Paris office',
      maxUses: 25,
      expiresAt: ahead(30),
      note: 'Welcome to the helpdesk. It takes a minute.',
    }),
  );
  on(
    day(9),
    door.mints('berlin', 'Berlin', {
      label: 'Berlin office, new floor',
      maxUses: Math.max(1, joining('Berlin').length),
      expiresAt: ahead(20),
    }),
  );
  on(
    day(10),
    door.mints('lyon', 'Lyon', { label: 'Lyon trainees, autumn', maxUses: 12, expiresAt: day(40) }),
  );
  on(
    day(30),
    door.mints('freelancers', 'Paris', {
      label: 'Freelancers',
      maxUses: 10,
      expiresAt: ahead(60),
      approval: 'manual',
      note: 'We look at every request by hand, usually within a day.',
      carries: {
        questions: [
          { label: 'Who do you work with?', kind: 'choice', options: ['Marketing', 'IT', 'Purchasing'] },
          { label: 'Contract number', kind: 'text' },
        ],
      },
    }),
  );
  on(ago(45), door.mints('leaked', 'Lyon', { label: 'Service partners', maxUses: 50, expiresAt: ahead(40) }));
  on(ago(44), door.revokes('leaked'));
  on(
    ago(20),
    door.mints('workshop', 'Berlin', { label: 'Workshop guests', maxUses: 30, expiresAt: ahead(25) }),
  );
  on(ago(5), door.pauses('workshop'));
  on(
    ago(4),
    door.mints('open-day', 'Lyon', {
      label: 'Open day',
      maxUses: 60,
      notBefore: ahead(7),
      expiresAt: ahead(8),
    }),
  );
  on(
    ago(3),
    door.mints('one-person', 'Paris', {
      label: 'For Renée Castel',
      maxUses: 1,
      email: 'renee.castel@acme.example',
      emailProof: 'required',
      expiresAt: ahead(5),
    }),
  );

  for (const [name, entity] of [
    ['paris', 'Paris'],
    ['berlin', 'Berlin'],
    ['lyon', 'Lyon'],
  ] as const) {
    for (const [index, person] of joining(entity).entries())
      on(person.at, door.letsIn(name, person, name === 'paris' ? (places[index % places.length] ?? '') : ''));
  }
  for (const person of newcomers.filter(({ email }) => freelancer(email))) {
    on(person.at, door.letsIn('freelancers', person));
    on(person.at + HOUR_MS, door.approves(person));
  }
  on(ago(12), door.letsIn('freelancers', declined));
  on(ago(12) + 2 * HOUR_MS, door.declines(declined, 'Not one of our suppliers.'));
  on(ago(1), door.letsIn('freelancers', waiting));
  on(day(2) + HOUR_MS, door.copies('paris', 'HR'));
  on(day(2) + 2 * HOUR_MS, door.copies('paris', 'Poster'));
  on(ago(21), door.isLookedAt('paris', 3));
  on(ago(8), door.keepsPreset('paris', 'An office, a month'));
  on(ago(6), door.writesPage(welcomePage));
  on(ago(6) + HOUR_MS, door.writesPage(houseRules));
  on(ago(3) + HOUR_MS, door.lists('open-day', staffNumbers, 'open-day.csv'));
  on(ago(2), door.asks('lyon', late, 'I was on leave when the link came round. Could you let me in?'));
  on(ago(1) + HOUR_MS, door.reads(newHires, 'new-hires.csv'));
  return scenes;
}
