import { randomUUID } from 'node:crypto';
import type { Host, KnownError, FieldProblem } from 'latchkey/plugin-api';
import { maskAddress } from '../keys/address.ts';
import { carriedFields, isProfileField, withFixed } from '../carries/carried-fields.ts';
import { joinForm, type JoinField } from '../hooks.ts';
import { mayAsk } from '../requests/access-request.ts';
import type { InvitationKey } from '../keys/invitation-key.ts';
import type { Handle } from './join-handle.ts';
import { nextOpening } from '../keys/opening-hours.ts';
import { factsOf } from '../keys/key-service.ts';
import type { Mailing } from '../mailings/mailing-repository.ts';
import { explainCodeOf } from '../seats/refusal.ts';

/** What was typed, without the password. */
export type Typed = Readonly<Record<string, string>>;

export interface FormFacts {
  key: InvitationKey;
  handle: Handle | null;
  mailing: Mailing | null;
  locale: string;
  typed?: Typed;
  error?: KnownError;
  preview?: boolean;
  /** Whom a provider has named in this browser. */
  arrived?: Arrived | null;
}

export type Arrived = NonNullable<ReturnType<Host['providers']['arrived']>>;

/** What the key and plugins ask beside name, address and password. */
export const fieldsOf = (host: Host, key: InvitationKey, locale: string): Promise<readonly JoinField[]> =>
  host.applyFilter(joinForm, carriedFields(host, key.carries, locale), { key: factsOf(key), locale });

/** What somebody who has an account is asked: their profile is theirs already. */
export const questionsOf = async (
  host: Host,
  key: InvitationKey,
  locale: string,
): Promise<readonly JoinField[]> =>
  (await fieldsOf(host, key, locale)).filter((field) => !isProfileField(field) && isSoundField(field));

const languages = [
  { value: 'en', label: 'English' },
  { value: 'fr', label: 'Français' },
];

/** The page a newcomer sees first. */
export async function presentForm(host: Host, facts: FormFacts): Promise<object> {
  const { key, handle, mailing, locale, typed = {}, error, preview = false, arrived = null } = facts;
  const named = arrived?.identity.email ?? null;
  const isLocalOn = await host.providers.isLocalOn();
  const site = await host.site();
  const fields = await fieldsOf(host, key, locale);
  const { given } = key.carries;
  const inviter = key.ownerId === null ? '' : key.ownerName;
  const isReused = error?.code === 'invitation.redeem_id_reused';
  return {
    preview,
    organisation: site.organisation,
    inviter,
    lead: host.t(
      inviter === '' ? 'join.lead' : 'join.lead-by',
      { inviter, organisation: site.organisation },
      locale,
    ),
    note: key.note,
    expiresAt: key.expiresAt,
    handle: handle?.name ?? '',
    redeemId: typed['redeemId'] && !isReused ? typed['redeemId'] : randomUUID(),
    nameFixed: given.name?.fixed === true,
    localeFixed: given.locale?.fixed === true,
    form: {
      ...withFixed(
        { name: given.name?.value ?? arrived?.name ?? '', locale: key.locale ?? locale, ...typed },
        key.carries,
      ),
      email: named ?? mailing?.email ?? typed['email'] ?? '',
    },
    languages,
    emailFixed: named !== null || (mailing !== null && key.emailNorm !== null),
    maskedEmail: mailing === null && key.email !== null ? maskAddress(key.email) : '',
    domains: key.weak || key.approval === 'domain' ? [] : key.emailDomains.map((rule) => `@${rule}`),
    fields: fields.filter(isSoundField).map((field) => presentField(field, typed)),
    errors: problemsOf(error),
    arrived: arrived && {
      title: arrived.title,
      email: named,
      needsProof: named !== null && !arrived.identity.emailVerified && key.emailProof === 'required',
    },
    providers: arrived === null ? await host.providers.ways() : [],
    isLocalOn,
    mayHavePasskey: !preview && arrived === null && isLocalOn && (await host.passkeys.isPossible()),
    needsApproval: key.approval === 'manual',
  };
}

export interface ClosedFacts {
  key: InvitationKey;
  handle: Handle | null;
  error: KnownError;
  typed?: Typed;
  /** The form had been open: what was typed is kept. */
  whileTyping?: boolean;
}

/** When somebody who came too early may come back. */
export function opensNext({ notBefore, hours }: InvitationKey, now: number): number | null {
  const from = notBefore !== null && now < notBefore ? notBefore : null;
  if (hours === null) return from;
  return nextOpening(hours, from ?? now) ?? from;
}

/** Why it does not go on here, and where it goes on. */
export async function presentClosed(host: Host, facts: ClosedFacts): Promise<object> {
  const { key, handle, error, typed = {}, whileTyping = false } = facts;
  const site = await host.site();
  const reason = error.code === 'user.no-room' ? 'house_full' : error.code.replace('invitation.', '');
  return {
    organisation: site.organisation,
    reason: whileTyping && reason === 'used_up' ? 'filled' : reason,
    notBefore: key.notBefore,
    expiresAt: key.expiresAt,
    opens: reason === 'not_yet' || reason === 'outside_hours' ? opensNext(key, host.clock.now()) : null,
    handle: handle?.name ?? '',
    mayAsk: mayAsk(key, reason),
    askFor: whileTyping ? 'place' : 'new',
    form: { name: typed['name'] ?? '', email: typed['email'] ?? '' },
    kept: whileTyping,
    explainCode: key.weak ? '' : explainCodeOf(key, error),
    supportLine: site.registration.contact,
  };
}

/** A form's problems where they belong; one that belongs to no field stands above. */
export const problemsOf = (error: KnownError | undefined): FieldProblem[] => {
  if (!error) return [];
  if (error.fields.length > 0) return [...error.fields];
  return [{ field: '', code: error.code, params: { ...error.params, seconds: error.retryAfter ?? 0 } }];
};

/** A plugin's field must not pose as one of ours. */
export const isSoundField = ({ name }: JoinField): boolean => /^[a-z][a-z0-9]*(-[a-z0-9]+)+$/.test(name);

export const presentField = (field: JoinField, typed: Typed): object => ({
  ...field,
  id: `answer-${field.name}`,
  value: field.fixed === true ? (field.value ?? '') : (typed[`answer-${field.name}`] ?? field.value ?? ''),
  isText: field.kind === 'text',
});
