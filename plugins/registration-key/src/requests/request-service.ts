import {
  ConflictError,
  KnownError,
  newId,
  NotFoundError,
  system,
  type Actor,
  type Host,
  type Limit,
  type Page,
  type PageRequest,
  type PersonFacts,
} from 'latchkey/plugin-api';
import { normaliseAddress } from '../keys/address.ts';
import type { JoinMails } from '../seats/join-mails.ts';
import { refusalOf } from '../seats/refusal.ts';
import { keyAsked } from '../hooks.ts';
import { draftOf } from '../keys/key-draft.ts';
import type { InvitationKey } from '../keys/invitation-key.ts';
import { assertMayManage, mayManage } from '../keys/key-policy.ts';
import { findKey, findKeys } from '../keys/key-repository.ts';
import { factsOf, subjectOf, type KeyService, type ShownKey } from '../keys/key-service.ts';
import { DAY_MS } from '../keys/key-terms.ts';
import type { MailingService } from '../mailings/mailing-service.ts';
import { mayAsk, type AccessRequest, type RequestState } from './access-request.ts';
import {
  countRequests,
  findRequest,
  forgetPeopleBefore,
  insertRequest,
  lapseBefore,
  listRequests,
  settleRequest,
} from './request-repository.ts';

interface Deps {
  host: Host;
  keys: KeyService;
  mailings: MailingService;
  mails: JoinMails;
}

/** A class behind one address may ask; one machine may not fill a mailbox. Which address it was is counted by the row. */
const ASKING: Limit = { name: 'ask', points: 10, perSeconds: 86_400 };
const ASKED_OF_KEY: Limit = { name: 'asked', points: 50, perSeconds: 86_400 };
const MOST_MAILED = 5;
const CHILD_DAYS = 7;
const WAITS_DAYS = 30;
const KNOWN_DAYS = 90;
const MANAGE = 'registration-key.manage';

export interface AskForm {
  name: string;
  email: string;
  message: string;
  locale: string;
}

/** A request together with the key it is about. */
export interface ShownRequest {
  request: AccessRequest;
  key: InvitationKey;
}

export interface Granted {
  child: ShownKey;
  wasMailed: boolean;
}

/** A key that is over is not a dead end: its holder asks, and its owner lets that one person in. */
export class RequestService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** The same words come back whoever asks and however often; a second request of an address that waits is the first. */
  async ask(key: InvitationKey, form: AskForm, network: string): Promise<void> {
    const { host } = this.#deps;
    const reason = refusalOf(key, host.clock.now())?.code.replace('invitation.', '') ?? '';
    if (!mayAsk(key, reason)) throw new ConflictError('invitation.nothing_to_ask');
    const emailNorm = normaliseAddress(form.email) ?? form.email.toLowerCase();
    await host.limits.count(ASKING, `${network}|${key.id}`);
    await host.limits.count(ASKED_OF_KEY, key.id);
    const request = openRequest(key, { ...form, reason, network, at: host.clock.now() });
    await this.#write(request, key, host.keys.mac('invite-request|1', `${key.id}|${emailNorm}`).digest);
  }

  async list(
    actor: Actor,
    filter: { state?: RequestState | undefined; keyId?: string | undefined },
    page: PageRequest,
  ): Promise<Page<ShownRequest>> {
    const { db } = this.#deps.host;
    const found = await listRequests(db, { ...filter, entities: actor.entitiesWith(MANAGE) }, page);
    const keys = await findKeys(
      db,
      found.items.map(({ keyId }) => keyId),
    );
    const items = found.items.flatMap((request) => {
      const key = keys.get(request.keyId);
      return key ? [{ request, key }] : [];
    });
    return { ...found, items };
  }

  async countOpen(actor: Actor): Promise<number> {
    return countRequests(this.#deps.host.db, { state: 'open', entities: actor.entitiesWith(MANAGE) });
  }

  async get(actor: Actor, id: string): Promise<ShownRequest> {
    const { db } = this.#deps.host;
    const request = await findRequest(db, id);
    const key = request && (await findKey(db, request.keyId));
    if (!request || !key || !mayManage(actor, key)) throw new NotFoundError('invitation.request_unknown');
    return { request, key };
  }

  /** A key of one seat for this address alone, with what the old one gives, for a week. Nobody else comes in by it. */
  async grant(actor: Actor, id: string, { message = '' }: { message?: string } = {}): Promise<Granted> {
    const { host, keys } = this.#deps;
    const { request, key } = await this.#open(actor, id);
    const child = await keys.mint(actor, {
      ...draftOf(key),
      profile: key.profileId,
      entity: key.entityId,
      label: `${request.name} · ${key.label}`.slice(0, 120),
      note: '',
      maxUses: 1,
      notBefore: null,
      hours: null,
      expiresAt: host.clock.now() + CHILD_DAYS * DAY_MS,
      email: request.email,
      emailDomains: [],
      approval: 'auto',
      emailProof: 'required',
      locale: request.locale,
    });
    try {
      await this.#settle(actor, { request, key }, { state: 'granted', note: message, childId: child.key.id });
    } catch (error) {
      await keys.remove(actor, child.key.id);
      throw error;
    }
    return { child, wasMailed: await this.#mail(actor, child, request, message) };
  }

  /** The asker hears of it, with the reason if there is one. */
  async decline(actor: Actor, id: string, reason: string): Promise<void> {
    const shown = await this.#open(actor, id);
    await this.#settle(actor, shown, { state: 'declined', note: reason, childId: null });
  }

  /** After a month nobody answers any more; after three nobody needs to know who it was. */
  async tidy(): Promise<void> {
    const { host } = this.#deps;
    const now = host.clock.now();
    await host.transaction(async (tx) => {
      await lapseBefore(tx, now - WAITS_DAYS * DAY_MS, now);
      await forgetPeopleBefore(tx, now - KNOWN_DAYS * DAY_MS);
    });
  }

  async #write(request: AccessRequest, key: InvitationKey, openSlot: Buffer): Promise<void> {
    const { host, mails } = this.#deps;
    const readers = await this.#readersOf(key);
    try {
      await host.transaction(async (tx) => {
        await insertRequest(tx, request, openSlot);
        await host.audit.record(tx, system, {
          action: 'invitation-key.asked-for-new',
          ...subjectOf(key),
          after: { request: request.id, reason: request.reason },
          network: request.network,
        });
        await host.emit(tx, keyAsked, { key: factsOf(key), requestId: request.id }, { aggregate: key.id });
        await mails.askedForNew(tx, readers, { key, request });
      });
    } catch (error) {
      if (!host.db.dialect.isDuplicate(error)) throw error;
    }
  }

  /** Its owner; where there is none any more, whoever manages keys there. */
  async #readersOf(key: InvitationKey): Promise<PersonFacts[]> {
    const { users } = this.#deps.host;
    const owner = key.ownerId === null ? null : await users.find(key.ownerId);
    const readers = owner?.status === 'active' ? [owner] : await users.withRight(MANAGE, key.entityId);
    return readers.slice(0, MOST_MAILED);
  }

  async #open(actor: Actor, id: string): Promise<ShownRequest> {
    const shown = await this.get(actor, id);
    assertMayManage(actor, shown.key);
    if (shown.request.state !== 'open') throw new ConflictError('invitation.decided_already');
    return shown;
  }

  async #settle(
    actor: Actor,
    { request, key }: ShownRequest,
    answer: { state: 'granted' | 'declined'; note: string; childId: string | null },
  ): Promise<void> {
    const { host, mails } = this.#deps;
    await host.transaction(async (tx) => {
      const settled = await settleRequest(tx, request.id, {
        ...answer,
        decidedAt: host.clock.now(),
        decidedBy: actor.userId,
        decidedByName: actor.name,
      });
      if (!settled) throw new ConflictError('invitation.decided_already');
      await host.audit.record(tx, actor, {
        action: `invitation-key.request-${answer.state}`,
        ...subjectOf(key),
        after: { request: request.id, childId: answer.childId },
      });
      if (answer.state === 'declined') await mails.requestDeclined(tx, request, answer.note);
    });
  }

  /** Where the mail cannot go, the link is shown to be handed over. */
  async #mail(actor: Actor, child: ShownKey, { email }: AccessRequest, message: string): Promise<boolean> {
    const { host, mailings } = this.#deps;
    if (!host.mail.isOn) return false;
    try {
      return (await mailings.send(actor, child.key.id, { addresses: email, message })) > 0;
    } catch (error) {
      if (error instanceof KnownError) return false;
      throw error;
    }
  }
}

const openRequest = (
  key: InvitationKey,
  asked: Pick<AccessRequest, 'name' | 'email' | 'message' | 'locale' | 'reason' | 'network' | 'at'>,
): AccessRequest => ({
  ...asked,
  id: newId(),
  keyId: key.id,
  entityId: key.entityId,
  state: 'open',
  decidedAt: null,
  decidedBy: null,
  decidedByName: '',
  note: '',
  childId: null,
});
