import {
  InvalidInputError,
  z,
  type CommandContext,
  type CommandDefinition,
  type Host,
} from 'latchkey/plugin-api';
import { carriesBody } from './carries/carries-json.ts';
import type { CarriesDraft } from './carries/carries.ts';
import type { InvitationKey } from './keys/invitation-key.ts';
import { keyJson } from './desk/key-json.ts';
import type { KeyService, ShownKey } from './keys/key-service.ts';
import { DAY_MS, type KeyDraft } from './keys/key-terms.ts';
import type { OpeningHours } from './keys/opening-hours.ts';
import { states, tabOrState, tabs } from './keys/key-filter.ts';
import { qrAsSvg, qrCodeOf, qrInText } from './keys/qr.ts';

interface Deps {
  host: Host;
  keys: KeyService;
}

const createOptions = [
  { flags: '--label <text>', description: 'What administrators call it' },
  { flags: '--note <text>', description: 'What newcomers read' },
  { flags: '--max-uses <count>', description: 'How many people, or "unlimited" (default 10)' },
  { flags: '--expires <when>', description: 'After 7d, 12h, 30m, at an ISO time, or "never" (default 14d)' },
  { flags: '--not-before <when>', description: 'From when it opens: 1d, or an ISO time' },
  { flags: '--profile <key>', description: 'Profile of the newcomers (default self-service)' },
  { flags: '--entity <name>', description: 'Entity they join' },
  { flags: '--groups <ids>', description: 'Groups they join, with commas' },
  { flags: '--email <address>', description: 'For this person only' },
  { flags: '--domains <domains>', description: 'Only addresses of these domains, with commas' },
  { flags: '--approval <how>', description: 'auto, domain or manual' },
  { flags: '--email-proof <how>', description: 'required or none' },
  {
    flags: '--carries <json>',
    description: 'What it brings along: given, questions, metadata, account, steps',
  },
  { flags: '--custom-key <text>', description: 'A key of your own choice; stricter rules' },
  { flags: '--preset <name>', description: 'Begin with this preset; what is said beside it counts more' },
  { flags: '--reuse', description: 'The open key with the same settings, if there is one' },
  { flags: '--hours <hours>', description: 'Such as "1-5 08:00-18:00 Europe/Paris"; 1 is Monday' },
  { flags: '--show-once', description: 'Keep no copy: the link is never shown again' },
];

/** `latchkey invite …` */
export function inviteCommands({ host, keys }: Deps): CommandDefinition[] {
  const id = '<id>';
  const idOf = ({ args }: CommandContext): string => args[0] ?? '';
  const brief = ({ key, text, url }: ShownKey): object => ({ id: key.id, key: text, url });
  const whole = async (key: InvitationKey): Promise<object> => (await keyJson(host, [key]))[0] ?? {};

  const simple = (name: 'pause' | 'resume' | 'revoke', summary: string): CommandDefinition => ({
    name: `invite ${name}`,
    summary,
    args: id,
    run: async (context) => {
      context.print(await whole(await keys[name](context.actor, idOf(context))));
    },
  });

  return [
    {
      name: 'invite create',
      summary: 'Make an invitation key and show its link',
      options: createOptions,
      run: async (context) => {
        const { actor, options } = context;
        context.print(brief(await keys.mint(actor, draftFromOptions(options, host.clock.now()))));
      },
    },
    {
      name: 'invite list',
      summary: 'Invitation keys, newest first',
      options: [
        { flags: '--status <status>', description: [...tabs, ...states].join(', '), default: 'all' },
        { flags: '--search <words>', description: 'In label, address and domains' },
      ],
      run: async (context) => {
        const { actor, options } = context;
        const status = z.enum([...tabs, ...states]).parse(options['status'] ?? 'all');
        const { items } = await keys.list(
          actor,
          { ...tabOrState(status), search: String(options['search'] ?? '') },
          { page: 1, perPage: 100 },
        );
        context.print(
          (await keyJson(host, items)).map(({ id: key, label, status, uses, maxUses, expiresAt }) => ({
            id: key,
            label,
            status,
            uses,
            maxUses,
            expiresAt,
          })),
        );
      },
    },
    {
      name: 'invite show',
      summary: 'One key, without its secret',
      args: id,
      run: async (context) => {
        context.print(await whole(await keys.get(context.actor, idOf(context))));
      },
    },
    simple('pause', 'Let nobody in for now'),
    simple('resume', 'Let people in again'),
    simple('revoke', 'Close a key; the people who joined stay'),
    {
      name: 'invite rotate',
      summary: 'Replace the secret; the old link is dead',
      args: id,
      run: async (context) => {
        context.print(brief(await keys.rotate(context.actor, idOf(context))));
      },
    },
    {
      name: 'invite reveal',
      summary: 'Show the link again; this is audited',
      args: id,
      run: async (context) => {
        context.print(brief(await keys.reveal(context.actor, idOf(context))));
      },
    },
    {
      name: 'invite qr',
      summary: 'The link as a QR code; this is audited',
      args: id,
      options: [{ flags: '--svg', description: 'As an SVG drawing' }],
      run: async (context) => {
        const { url } = await keys.reveal(context.actor, idOf(context));
        context.print(context.options['svg'] === true ? qrAsSvg(qrCodeOf(url)) : await qrInText(url));
      },
    },
  ];
}

type Options = CommandContext['options'];

function draftFromOptions(options: Options, now: number): KeyDraft {
  const said = (name: string): string | undefined => {
    const value = options[name] ?? options[camel(name)];
    return typeof value === 'string' ? value : undefined;
  };
  const list = (name: string): string[] | undefined =>
    said(name)
      ?.split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '');
  const draft: Record<string, unknown> = {
    label: said('label'),
    note: said('note'),
    maxUses: usesFrom(said('max-uses')),
    expiresAt: momentFrom('expires', said('expires'), now),
    notBefore: momentFrom('not-before', said('not-before'), now),
    profile: said('profile'),
    entity: said('entity'),
    groups: list('groups'),
    email: said('email'),
    emailDomains: list('domains'),
    approval: choice('approval', said('approval'), ['auto', 'domain', 'manual']),
    emailProof: choice('email-proof', said('email-proof'), ['required', 'none']),
    carries: carriesFrom(said('carries')),
    customKey: said('custom-key'),
    preset: said('preset'),
    reuse: options['reuse'] === true ? true : undefined,
    hours: hoursFrom(said('hours')),
    showOnce: options['show-once'] === true || options['showOnce'] === true ? true : undefined,
  };
  return Object.fromEntries(Object.entries(draft).filter(([, value]) => value !== undefined));
}

/** `1-5 08:00-18:00 Europe/Paris`, or `1,3,5 …`. */
export function hoursFrom(said: string | undefined): OpeningHours | undefined {
  if (said === undefined) return undefined;
  const parts = /^([1-7](?:[-,][1-7])*) (\d\d:\d\d)-(\d\d:\d\d) (\S+)$/.exec(said.trim());
  const [, days = '', from = '', to = '', timeZone = ''] = parts ?? [];
  if (!parts) throw wrong('hours', 'invitation.hours_form');
  return { days: days.split(',').flatMap(daysIn), from, to, timeZone };
}

/** `1-5`, or one day. */
function daysIn(part: string): number[] {
  const [first = 1, last = first] = part.split('-').map(Number);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => first + at);
}

const camel = (name: string): string => name.replace(/-[a-z]/g, (letter) => letter.charAt(1).toUpperCase());

const wrong = (field: string, code: string): InvalidInputError =>
  new InvalidInputError('input.invalid', { fields: [{ field, code }] });

function choice(field: string, said: string | undefined, allowed: string[]): string | undefined {
  if (said === undefined || allowed.includes(said)) return said;
  throw wrong(field, 'invitation.unknown_choice');
}

/** As in the API, so that a script says it once for both. */
function carriesFrom(said: string | undefined): CarriesDraft | undefined {
  if (said === undefined) return undefined;
  try {
    return carriesBody.parse(JSON.parse(said));
  } catch (cause) {
    throw new InvalidInputError('input.invalid', {
      cause,
      fields: [{ field: 'carries', code: 'invitation.carries_json' }],
    });
  }
}

function usesFrom(said: string | undefined): number | null | undefined {
  if (said === undefined) return undefined;
  return said === 'unlimited' ? null : Number(said);
}

const units: Record<string, number> = { d: DAY_MS, h: 3_600_000, m: 60_000 };

/** `7d`, `12h`, `30m`, a moment in ISO 8601, or `never`. */
export function momentFrom(field: string, said: string | undefined, now: number): number | null | undefined {
  if (said === undefined) return undefined;
  if (said === 'never') return null;
  const [, count, unit] = /^(\d+)([dhm])$/.exec(said) ?? [];
  if (count !== undefined && unit !== undefined) return now + Number(count) * (units[unit] ?? 0);
  if (!z.iso.datetime({ offset: true }).safeParse(said).success)
    throw wrong(field, 'invitation.not_a_moment');
  return Date.parse(said);
}
