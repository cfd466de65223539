import type { Outbound } from '../../outbound/outbound.ts';
import { problemOfStatus, type HubProblem } from '../hub-problem.ts';
import type { Fetch } from './trusted-set.ts';

/** The hub gave no document, and no “there is none” either. */
export class NoAnswerError extends Error {
  readonly problem: HubProblem;

  constructor(problem: HubProblem) {
    super(`The hub gave no document (${problem})`);
    this.name = 'NoAnswerError';
    this.problem = problem;
  }
}

interface Line {
  outbound: Pick<Outbound, 'send'>;
  /** Without a slash at its end. */
  hub: string;
  /** Over the whole walk. */
  signal: AbortSignal;
}

const ONE_MS = 10_000;

/** Documents of a hub, by the names of TUF. No key goes with these requests, and no redirect is followed. */
export const documentsOf =
  ({ outbound, hub, signal }: Line): Fetch =>
  async (name, maxBytes) => {
    const { status, headers, text, isCut } = await outbound.send({
      url: `${hub}/api/network/v1/trust/${name}`,
      method: 'GET',
      headers: { accept: 'application/json' },
      signal,
      timeoutMs: ONE_MS,
      maxBytes,
    });
    if (status === 404) return null;
    if (status !== 200) throw new NoAnswerError(problemOfStatus(status, headers['content-type'] ?? ''));
    if (isCut) throw new NoAnswerError('N17');
    return Buffer.from(text, 'utf8');
  };
