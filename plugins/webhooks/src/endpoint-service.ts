import {
  ConflictError,
  ForbiddenError,
  InvalidInputError,
  newId,
  NotFoundError,
  type Actor,
  type Host,
  type Page,
  type PageRequest,
} from 'latchkey/plugin-api';
import { endWaiting, findDelivery, insertDelivery, listDeliveries, revive } from './delivery-repository.ts';
import type { Delivery, Endpoint, EndpointDraft } from './endpoint.ts';
import {
  deleteEndpoint,
  findEndpoint,
  insertEndpoint,
  listEndpoints,
  replaceSecret,
  updateEndpoint,
} from './endpoint-repository.ts';
import { eventNames, TEST_EVENT } from './events.ts';
import { contentContext, contentOf, newDelivery, secretContext } from './message.ts';
import type { Sender } from './sender.ts';
import { newSecret } from './signature.ts';

const MOST_ENDPOINTS = 100;

interface Deps {
  host: Host;
  sender: Sender;
}

/** Endpoints from the side of those who keep them. */
export class EndpointService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async list(actor: Actor): Promise<Endpoint[]> {
    await this.#assertManages(actor);
    return listEndpoints(this.#deps.host.db);
  }

  async get(actor: Actor, id: string): Promise<Endpoint> {
    await this.#assertManages(actor);
    const endpoint = await findEndpoint(this.#deps.host.db, id);
    if (endpoint === null) throw new NotFoundError('webhook.not_found');
    return endpoint;
  }

  /** The secret is in this answer and in no other. */
  async add(actor: Actor, draft: EndpointDraft): Promise<{ endpoint: Endpoint; secret: string }> {
    const { host } = this.#deps;
    await this.#assertManages(actor);
    this.#assertSound(draft);
    if ((await listEndpoints(host.db)).length >= MOST_ENDPOINTS)
      throw new ConflictError('webhook.too_many', { params: { limit: MOST_ENDPOINTS } });
    const now = host.clock.now();
    const endpoint: Endpoint = {
      ...draft,
      id: newId(),
      offReason: null,
      failingSince: null,
      version: 1,
      createdAt: now,
      updatedAt: now,
    };
    const secret = newSecret();
    await host.transaction(async (tx) => {
      await insertEndpoint(tx, endpoint, host.keys.seal(secret, secretContext(endpoint.id)));
      await this.#record(tx, actor, endpoint, 'added', { after: facts(draft) });
    });
    return { endpoint, secret };
  }

  async edit(actor: Actor, id: string, version: number, draft: EndpointDraft): Promise<Endpoint> {
    const { host } = this.#deps;
    const before = await this.get(actor, id);
    this.#assertSound(draft);
    const now = host.clock.now();
    await host.transaction(async (tx) => {
      const changes = {
        ...draft,
        offReason: null,
        updatedAt: now,
        ...(draft.isOn ? { failingSince: null } : {}),
      };
      if (!(await updateEndpoint(tx, id, version, changes)))
        throw new ConflictError('webhook.changed_meanwhile');
      if (!draft.isOn) await endWaiting(tx, id);
      await this.#record(tx, actor, before, 'edited', { before: facts(before), after: facts(draft) });
    });
    return this.get(actor, id);
  }

  /** A new secret; what was signed with the old one is not accepted any more once the receiver has the new. */
  async rotate(actor: Actor, id: string): Promise<string> {
    const { host } = this.#deps;
    const endpoint = await this.get(actor, id);
    const secret = newSecret();
    await host.transaction(async (tx) => {
      await replaceSecret(tx, id, host.keys.seal(secret, secretContext(id)), host.clock.now());
      await this.#record(tx, actor, endpoint, 'secret-replaced', {});
    });
    return secret;
  }

  async remove(actor: Actor, id: string): Promise<void> {
    const { host } = this.#deps;
    const endpoint = await this.get(actor, id);
    await host.transaction(async (tx) => {
      if (!(await deleteEndpoint(tx, id))) throw new NotFoundError('webhook.not_found');
      await this.#record(tx, actor, endpoint, 'removed', { before: facts(endpoint) });
    });
  }

  async deliveries(actor: Actor, id: string, page: PageRequest): Promise<Page<Delivery>> {
    await this.get(actor, id);
    return listDeliveries(this.#deps.host.db, id, page);
  }

  /** Sends a little something now, and says how it went. Also to an endpoint that is off. */
  async test(actor: Actor, id: string): Promise<Delivery> {
    const { host, sender } = this.#deps;
    const endpoint = await this.get(actor, id);
    const now = host.clock.now();
    const delivery = newDelivery(endpoint.id, { id: newId(), name: TEST_EVENT }, now);
    const content = contentOf(TEST_EVENT, { at: now, data: { message: 'Latchkey says hello.' } });
    await host.transaction(async (tx) => {
      await insertDelivery(tx, delivery, host.keys.seal(content, contentContext(delivery.id)));
      await this.#record(tx, actor, endpoint, 'tested', {});
    });
    await sender.sendNow(delivery.id);
    return (await findDelivery(host.db, delivery.id)) ?? delivery;
  }

  /** Under the same id, so that a receiver that had it after all knows it again. */
  async redeliver(actor: Actor, id: string, deliveryId: string): Promise<Delivery> {
    const { host, sender } = this.#deps;
    const endpoint = await this.get(actor, id);
    const delivery = await findDelivery(host.db, deliveryId);
    if (delivery?.endpointId !== id) throw new NotFoundError('webhook.delivery_not_found');
    await host.transaction(async (tx) => {
      if (!(await revive(tx, deliveryId, host.clock.now()))) throw new ConflictError('webhook.content_gone');
      await this.#record(tx, actor, endpoint, 'redelivered', { after: { event: delivery.eventName } });
    });
    await sender.sendNow(deliveryId);
    return (await findDelivery(host.db, deliveryId)) ?? delivery;
  }

  /** Events of the whole house go out, so the right must hold for the whole house. */
  async #assertManages(actor: Actor): Promise<void> {
    const top = (await this.#deps.host.memberships.entities()).find(({ parentId }) => parentId === null);
    if (top === undefined || !actor.can('webhooks.manage', top.id))
      throw new ForbiddenError('webhook.may_not_manage');
  }

  #assertSound({ url, events }: EndpointDraft): void {
    const problem = this.#deps.host.outbound.problemOf(url);
    const fields = [
      ...(problem === null ? [] : [{ field: 'url', code: 'webhook.not_callable', params: { problem } }]),
      ...(events.length === 0 || events.some((name) => !eventNames.includes(name))
        ? [{ field: 'events', code: 'webhook.choose_events' }]
        : []),
    ];
    if (fields.length > 0) throw new InvalidInputError('input.invalid', { fields });
  }

  #record(
    tx: Parameters<Parameters<Host['transaction']>[0]>[0],
    actor: Actor,
    { id, name }: Endpoint,
    what: string,
    change: { before?: Record<string, unknown>; after?: Record<string, unknown> },
  ): Promise<void> {
    return this.#deps.host.audit.record(tx, actor, {
      action: `webhook.${what}`,
      subject: { type: 'webhook', id, label: name },
      ...change,
    });
  }
}

const facts = ({ name, url, events, isOn }: EndpointDraft): Record<string, unknown> => ({
  name,
  url,
  events,
  isOn,
});
