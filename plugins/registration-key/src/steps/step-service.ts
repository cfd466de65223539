import {
  ConflictError,
  ForbiddenError,
  InvalidInputError,
  newId,
  NotFoundError,
  type Actor,
  type FieldProblem,
  type Host,
} from 'latchkey/plugin-api';
import type { Step, StepDraft } from './step.ts';
import { findStep, insertStep, listSteps, placeStep, removeStep, updateStep } from './step-repository.ts';

const MANAGE = 'registration-key.steps';
const MOST_STEPS = 100;
const LONGEST = { title: 120, body: 20_000, agreement: 300 } as const;

/** The pages that newcomers walk through, from the side of those who write them. */
export class StepService {
  readonly #host: Host;
  readonly #changed: () => void;

  /** `changed` is called after each write, so that this process shows it at once. */
  constructor(host: Host, { changed }: { changed: () => void }) {
    this.#host = host;
    this.#changed = changed;
  }

  list(actor: Actor): Promise<Step[]> {
    if (!actor.can('registration-key.read')) throw new ForbiddenError('access.right');
    return listSteps(this.#host.db);
  }

  async get(actor: Actor, id: string): Promise<Step> {
    assertMayWrite(actor);
    const step = await findStep(this.#host.db, id);
    if (step === null) throw new NotFoundError('invitation.step_unknown');
    return step;
  }

  async add(actor: Actor, draft: StepDraft): Promise<Step> {
    assertMayWrite(actor);
    const tidy = tidied(draft);
    const { db, clock } = this.#host;
    const known = await listSteps(db);
    if (known.length >= MOST_STEPS)
      throw new ConflictError('invitation.too_many', { params: { limit: MOST_STEPS } });
    const entities = await this.#host.memberships.entities();
    const now = clock.now();
    const step: Step = {
      ...tidy,
      id: newId(),
      entityId: entities.find(({ parentId }) => parentId === null)?.id ?? '',
      position: 1 + Math.max(0, ...known.map(({ position }) => position)),
      edition: 1,
      createdAt: now,
      updatedAt: now,
    };
    await this.#host.transaction(async (tx) => {
      await insertStep(tx, step);
      await this.#host.audit.record(tx, actor, {
        action: 'invitation-step.added',
        ...subjectOf(step),
        after: { ...tidy },
      });
    });
    this.#changed();
    return step;
  }

  /** Other words are another edition: whoever is on the way agrees to the new one. */
  async edit(actor: Actor, id: string, edition: number, draft: StepDraft): Promise<Step> {
    const step = await this.get(actor, id);
    const tidy = tidied(draft);
    await this.#host.transaction(async (tx) => {
      if (!(await updateStep(tx, { id, edition }, tidy, this.#host.clock.now())))
        throw new ConflictError('invitation.changed_meanwhile');
      const { phase, everywhere, title, body, agreement } = step;
      const before = { phase, everywhere, title, body, agreement };
      await this.#host.audit.record(tx, actor, {
        action: 'invitation-step.edited',
        ...subjectOf(step),
        before,
        after: { ...tidy },
      });
    });
    this.#changed();
    return this.get(actor, id);
  }

  /** One place up or down among the steps of its phase. */
  async move(actor: Actor, id: string, direction: 'up' | 'down'): Promise<void> {
    const step = await this.get(actor, id);
    const beside = (await listSteps(this.#host.db)).filter(({ phase }) => phase === step.phase);
    const at = beside.findIndex((one) => one.id === id);
    const to = at + (direction === 'up' ? -1 : 1);
    if (to < 0 || to >= beside.length) return;
    beside.splice(to, 0, ...beside.splice(at, 1));
    await this.#host.transaction(async (tx) => {
      for (const [position, one] of beside.entries()) await placeStep(tx, one.id, position + 1);
    });
    this.#changed();
  }

  async remove(actor: Actor, id: string): Promise<void> {
    const step = await this.get(actor, id);
    await this.#host.transaction(async (tx) => {
      if (!(await removeStep(tx, id, this.#host.clock.now())))
        throw new NotFoundError('invitation.step_unknown');
      await this.#host.audit.record(tx, actor, {
        action: 'invitation-step.removed',
        ...subjectOf(step),
        before: { title: step.title },
      });
    });
    this.#changed();
  }
}

function assertMayWrite(actor: Actor): void {
  if (!actor.can(MANAGE)) throw new ForbiddenError('access.right');
}

function tidied({ phase, everywhere, ...words }: StepDraft): StepDraft {
  const said = { title: words.title.trim(), body: words.body.trim(), agreement: words.agreement.trim() };
  const fields: FieldProblem[] = (['title', 'body', 'agreement'] as const).flatMap((field) =>
    said[field].length > LONGEST[field]
      ? [{ field, code: 'invitation.too_long', params: { limit: LONGEST[field] } }]
      : [],
  );
  if (said.title === '') fields.push({ field: 'title', code: 'invitation.step_title' });
  if (said.body === '') fields.push({ field: 'body', code: 'invitation.step_body' });
  if (fields.length > 0) throw new InvalidInputError('input.invalid', { fields });
  return { phase, everywhere, ...said };
}

const subjectOf = ({
  id,
  title,
  entityId,
}: Step): { subject: { type: string; id: string; label: string }; entityId: string } => ({
  subject: { type: 'invitation-step', id, label: title },
  entityId,
});
