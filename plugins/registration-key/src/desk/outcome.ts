import { KnownError, type Actor, type Host } from 'latchkey/plugin-api';
import { assertNewAccountsAllowed, assertRoom, refusalOf } from '../seats/refusal.ts';
import type { Authority } from '../keys/authority.ts';
import type { InvitationKey } from '../keys/invitation-key.ts';
import type { KeyService } from '../keys/key-service.ts';
import type { StepWalk } from '../steps/step-walk.ts';
import type { WalkStep } from '../steps/step.ts';
import { attributesFrom } from '../carries/carried-fields.ts';
import { accountEnd, type Question } from '../carries/carries.ts';

interface Deps {
  host: Host;
  keys: KeyService;
  authority: Authority;
  walk: StepWalk;
}

export type MailName = 'confirm' | 'welcome' | 'approved' | 'ends';

/** What becomes of whoever joins now. */
export interface Outcome {
  key: InvitationKey;
  /** Why nobody can, if so: the code of the refusal. */
  stopped: string | null;
  profile: { id: string; name: string; rights: readonly string[] };
  entity: { id: string; path: string };
  groups: string[];
  /** Groups of the key that are gone, or that its giver may no longer give. */
  skipped: string[];
  name: string | null;
  locale: string | null;
  attributes: Record<string, string>;
  endsAt: number | null;
  questions: Question[];
  steps: WalkStep[];
  proof: 'none' | 'by-mail' | 'by-hand';
  approval: InvitationKey['approval'];
  mails: MailName[];
  landing: string;
}

/** Looks ahead: nothing is made, no seat is taken, nothing is written. */
export class Outcomes {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async of(actor: Actor, id: string, locale: string): Promise<Outcome> {
    const { host, keys, authority, walk } = this.#deps;
    const key = await keys.get(actor, id);
    const giver = await authority.giverOf(key);
    const [profiles, entities, groups] = [
      await host.memberships.profiles(),
      await host.memberships.entities(),
      await host.memberships.groups(),
    ];
    const given = typeof giver === 'string' ? [] : giver.groupIds;
    const named = (ids: readonly string[]): string[] =>
      ids.map((groupId) => groups.find((one) => one.id === groupId)?.name ?? groupId);
    const { name, locale: language } = key.carries.given;
    return {
      key,
      stopped: typeof giver === 'string' ? 'invitation.paused' : await this.#stopped(key),
      profile: profiles.find((one) => one.id === key.profileId) ?? {
        id: key.profileId,
        name: '',
        rights: [],
      },
      entity: entities.find((one) => one.id === key.entityId) ?? { id: key.entityId, path: '' },
      groups: named(given),
      skipped: named(key.groupIds.filter((groupId) => !given.includes(groupId))),
      name: name?.fixed === true ? name.value : null,
      locale: language?.fixed === true ? language.value : key.locale,
      attributes: attributesFrom(key.carries, {}),
      endsAt: accountEnd(key.carries, host.clock.now()),
      questions: key.carries.questions,
      steps: await walk.planOf(key, locale),
      proof: proofOf(key, host.mail.isOn),
      approval: key.approval,
      mails: host.mail.isOn ? mailsOf(key) : [],
      landing: key.landing,
    };
  }

  async #stopped(key: InvitationKey): Promise<string | null> {
    const { host } = this.#deps;
    const refusal = refusalOf({ ...key, weak: false }, host.clock.now());
    if (refusal !== null) return refusal.code;
    try {
      await assertNewAccountsAllowed(host);
      await assertRoom(host);
      return null;
    } catch (error) {
      if (error instanceof KnownError) return error.code;
      throw error;
    }
  }
}

function proofOf({ emailProof }: InvitationKey, mailIsOn: boolean): Outcome['proof'] {
  if (emailProof === 'none') return 'none';
  return mailIsOn ? 'by-mail' : 'by-hand';
}

const mailsOf = ({ emailProof, approval, carries }: InvitationKey): MailName[] => [
  ...(emailProof === 'required' ? (['confirm'] as const) : []),
  approval === 'manual' ? 'approved' : 'welcome',
  ...(carries.account === null ? [] : (['ends'] as const)),
];
