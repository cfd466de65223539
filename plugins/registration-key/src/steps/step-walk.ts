import { ConflictError, InvalidInputError, newId, type Host, type Tx } from 'latchkey/plugin-api';
import { joinSteps } from '../hooks.ts';
import type { ProofBox } from '../seats/proofs.ts';
import { ThisTurn } from '../keys/this-turn.ts';
import type { InvitationKey } from '../keys/invitation-key.ts';
import { factsOf } from '../keys/key-service.ts';
import type { Phase, Step, WalkStep } from './step.ts';
import { giveTakenTo, insertTaken, listSteps, listTaken, markOf } from './step-repository.ts';

/** Other processes show a change of the pages this late at most; whoever sends a form in is judged by what stands now. */
const KEPT_MS = 5_000;

/** Who walks: a browser that holds a handle, or somebody with an account. */
export type Walker = { browser: string } | { userId: string };

/** Where somebody is on their way: all steps of a phase, and those still to come. */
export interface Way {
  all: WalkStep[];
  open: WalkStep[];
}

/** The order of the steps is kept here, in rows, and never in the pages: nobody skips one by asking for the next. */
export class StepWalk {
  readonly #host: Host;
  readonly #proofs: ProofBox;
  readonly #now = new ThisTurn(() => listSteps(this.#host.db));
  #kept: { steps: Step[]; until: number } | null = null;

  constructor(host: Host, proofs: ProofBox) {
    this.#host = host;
    this.#proofs = proofs;
  }

  /** After a change: looks again at once. */
  forget = (): void => {
    this.#kept = null;
  };

  async wayOf(key: InvitationKey, phase: Phase, walker: Walker, locale: string): Promise<Way> {
    return this.#way(key, phase, walker, await this.#stepsOf(key, phase, locale, await this.#library()));
  }

  /** All steps of a key in their order: for the page that tells what newcomers meet. */
  async planOf(key: InvitationKey, locale: string): Promise<WalkStep[]> {
    const library = await listSteps(this.#host.db);
    return [
      ...(await this.#stepsOf(key, 'before', locale, library)),
      ...(await this.#stepsOf(key, 'after', locale, library)),
    ];
  }

  /** Past one step; only past the next, and only with its box ticked. */
  async take(
    key: InvitationKey,
    phase: Phase,
    walker: Walker,
    said: { step: string; agreed: boolean; locale: string },
  ): Promise<void> {
    const steps = await this.#stepsOf(key, phase, said.locale, await listSteps(this.#host.db));
    const { all, open } = await this.#way(key, phase, walker, steps);
    // A second click on the same button: it has been done.
    if (all.some(({ id }) => id === said.step) && !open.some(({ id }) => id === said.step)) return;
    const next = open[0];
    if (next?.id !== said.step) throw new ConflictError('invitation.step_order');
    if (next.agreement !== '' && !said.agreed)
      throw new InvalidInputError('input.invalid', {
        fields: [{ field: 'agreed', code: 'invitation.step_agree' }],
      });
    await this.#write(key.id, next, walker);
  }

  /**
   * Before a seat is taken. Programs name what was shown and agreed to (`<id>@<edition>`).
   * @throws {ConflictError} `invitation.steps_first`
   */
  async assertWalked(
    key: InvitationKey,
    { browser, accepted }: { browser: string | null; accepted: readonly string[] },
    locale: string,
  ): Promise<void> {
    const steps = await this.#stepsOf(key, 'before', locale, await this.#now.find('steps'));
    if (steps.length === 0) return;
    const open =
      browser === null
        ? steps.filter((step) => !accepted.includes(markOf(step)))
        : (await this.#way(key, 'before', { browser }, steps)).open;
    if (open.length > 0)
      throw new ConflictError('invitation.steps_first', { params: { steps: open.map(markOf).join(', ') } });
  }

  /** What a program said was shown and agreed to, on record for the account it did so for. */
  async agreed(
    key: InvitationKey,
    { accepted, userId }: { accepted: readonly string[]; userId: string },
    locale: string,
  ): Promise<void> {
    if (accepted.length === 0) return;
    const steps = await this.#stepsOf(key, 'before', locale, await this.#library());
    for (const step of steps.filter((one) => accepted.includes(markOf(one))))
      await this.#write(key.id, step, { userId });
  }

  /** What a browser agreed to belongs to the account that came of it; `walker` is the digest that the attempt carries. */
  async handOver(tx: Tx, keyId: string, walker: Buffer, userId: string): Promise<void> {
    await giveTakenTo(tx, keyId, [walker], userId);
  }

  /** The same for somebody who had an account before, and walked in the browser they are signed in with. */
  async givenTo(keyId: string, browser: string, userId: string): Promise<void> {
    await this.#host.transaction((tx) => giveTakenTo(tx, keyId, this.#digests({ browser }), userId));
  }

  async #way(key: InvitationKey, phase: Phase, walker: Walker, all: WalkStep[]): Promise<Way> {
    if (all.length === 0) return { all, open: [] };
    const taken = await listTaken(this.#host.db, key.id, this.#digests(walker));
    return { all, open: all.filter((step) => !taken.has(markOf(step))) };
  }

  async #stepsOf(
    key: InvitationKey,
    phase: Phase,
    locale: string,
    library: readonly Step[],
  ): Promise<WalkStep[]> {
    const own = library
      .filter((step) => step.everywhere || key.carries.steps.includes(step.id))
      .map(({ id, phase: when, title, body, agreement, edition }) => ({
        id,
        phase: when,
        title,
        body,
        agreement,
        edition,
      }));
    const added = await this.#host.applyFilter(joinSteps, [], { key: factsOf(key), locale });
    const sound = added.filter(({ id }) => PLUGIN_STEP.test(id));
    return [
      ...own,
      ...sound.map(({ agreement = '', edition = 1, ...step }) => ({ ...step, agreement, edition })),
    ].filter((step) => step.phase === phase);
  }

  async #library(): Promise<Step[]> {
    const now = this.#host.clock.now();
    if (this.#kept && this.#kept.until > now) return this.#kept.steps;
    const steps = await listSteps(this.#host.db);
    this.#kept = { steps, until: now + KEPT_MS };
    return steps;
  }

  async #write(keyId: string, { id, edition }: WalkStep, walker: Walker): Promise<void> {
    const { db, clock } = this.#host;
    const userId = 'userId' in walker ? walker.userId : null;
    const row = {
      id: newId(),
      keyId,
      step: id,
      edition,
      walker: this.#proofs.browser(secretOf(walker)),
      userId,
      at: clock.now(),
    };
    try {
      await this.#host.transaction((tx) => insertTaken(tx, row));
    } catch (error) {
      if (!db.dialect.isDuplicate(error)) throw error;
    }
  }

  #digests(walker: Walker): Buffer[] {
    return this.#proofs.browsers(secretOf(walker));
  }
}

const secretOf = (walker: Walker): string => ('browser' in walker ? walker.browser : `user:${walker.userId}`);

/** `other-plugin.house-rules`: another plugin's step must not pose as one of ours. */
const PLUGIN_STEP = /^[a-z][a-z0-9-]*\.[a-z0-9-]{1,60}$/;
