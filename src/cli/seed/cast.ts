import { DAY, HOUR, MINUTE } from './working-hours.ts';

export const ORGANISATION = 'Acme Instruments';
export const offices = ['Paris', 'Lyon', 'Berlin'] as const;
export type Office = (typeof offices)[number];
export const teams = ['Network', 'Workplace', 'Applications'] as const;
export type Team = (typeof teams)[number];

export interface Persona {
  name: string;
  email: string;
  locale: 'en' | 'fr';
  office: Office;
}

export interface Technician extends Persona {
  teams: readonly Team[];
  /** Null works for all offices. */
  only: Office | null;
}

/** Somebody who was not there at the beginning. */
export interface LatePersona extends Persona {
  /** Milliseconds after the story begins. */
  after: number;
}

const localeOf = (office: Office): 'en' | 'fr' => (office === 'Berlin' ? 'en' : 'fr');

/** `Jürgen Großmann` is `jurgen.grossmann`. */
const mailboxOf = (name: string): string =>
  name
    .replace(/ß/g, 'ss')
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z]+/g, '.');

const persona = (name: string, office: Office, host = 'acme.example'): Persona => ({
  name,
  email: `${mailboxOf(name)}@${host}`,
  locale: localeOf(office),
  office,
});

/** They speak English to each other, as most of the demo does. */
export const owner: Persona = { ...persona('Hélène Marchand', 'Paris'), locale: 'en' };
export const administrator: Persona = { ...persona('Thomas Berger', 'Paris'), locale: 'en' };
export const supervisor = persona('Sophie Lambert', 'Paris');

const technician = (name: string, office: Office, work: Pick<Technician, 'teams' | 'only'>): Technician => ({
  ...persona(name, office),
  ...work,
});

export const technicians: readonly Technician[] = [
  technician('Karim Benali', 'Paris', { teams: ['Network', 'Workplace'], only: null }),
  technician('Julia Hoffmann', 'Berlin', { teams: ['Workplace'], only: 'Berlin' }),
  technician('Antoine Girard', 'Lyon', { teams: ['Workplace'], only: 'Lyon' }),
  technician('Emma Whitfield', 'Paris', { teams: ['Applications'], only: null }),
  technician('Lukas Brandt', 'Berlin', { teams: ['Network', 'Applications'], only: null }),
];

const named: Record<Office, readonly string[]> = {
  Paris: [
    'Camille Rousseau',
    'Nicolas Lefèvre',
    'Inès Garnier',
    'Mathieu Chevalier',
    'Awa Diallo',
    'Olivier Perrin',
    'Charlotte Evans',
    'Yann Le Goff',
  ],
  Lyon: [
    'Margaux Fournier',
    'Bastien Roux',
    'Léa Moulin',
    'Samir Haddad',
    'Pauline Mercier',
    'Hugo Blanchard',
  ],
  Berlin: [
    'Anna Schröder',
    'Jürgen Großmann',
    'Mia Vogel',
    'Oliver Hughes',
    'Felix Neumann',
    'Katharina Weiß',
  ],
};

/** Everybody who had a desk when the helpdesk opened. */
export const employees: readonly Persona[] = offices.flatMap((office) =>
  named[office].map((name) => persona(name, office)),
);

const late = (day: number, name: string, office: Office, host?: string): LatePersona => ({
  ...persona(name, office, host),
  after: day * DAY + 9 * HOUR + name.length * MINUTE,
});

/** Everybody who let themselves in with an invitation. */
export const newcomers: readonly LatePersona[] = [
  late(4, 'Manon Leclerc', 'Paris'),
  late(5, 'Théo Bonnet', 'Paris'),
  late(12, 'Sabine Krüger', 'Berlin'),
  late(12, 'Jonas Albrecht', 'Berlin'),
  late(13, 'Priya Nair', 'Berlin'),
  late(14, 'Robin Fischer', 'Berlin'),
  late(20, 'Clara Dumont', 'Lyon'),
  late(27, 'Malik Traoré', 'Lyon'),
  late(33, 'Grace Okafor', 'Paris'),
  late(48, 'Victor Lemaire', 'Paris'),
  late(62, 'Daniel Price', 'Paris', 'example.org'),
  late(75, 'Zoé Aubert', 'Paris'),
];
