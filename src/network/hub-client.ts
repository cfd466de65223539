import type { Outbound } from '../outbound/outbound.ts';
import { readAnswer, type HubAnswer } from './hub-answer.ts';
import type { Sent } from './what-is-sent.ts';
import { problemOfError, problemOfStatus, type HubProblem } from './hub-problem.ts';

/** What a helpdesk shows its hub, and nobody else. */
export interface HubCredentials {
  /** Without a slash at its end. */
  hub: string;
  key: string;
  uid: string;
  locale: string;
}

export interface HubQuestion extends HubCredentials {
  signal: AbortSignal;
}

export type HubOutcome = { answer: HubAnswer } | { problem: HubProblem };

interface Deps {
  outbound: Pick<Outbound, 'send'>;
  version: string;
}

const TOTAL_MS = 15_000;
const MOST_BYTES = 64 * 1024;

/** Asks a hub about a key. The key goes to the hub's own address only: redirects are not followed, whatever they say. */
export class HubClient {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** What is asked about a key, as it leaves. */
  question(credentials: HubCredentials): Sent {
    return {
      method: 'GET',
      url: `${credentials.hub}/api/registration/info`,
      headers: headersFor(credentials, this.#deps.version),
    };
  }

  async ask({ signal, ...credentials }: HubQuestion): Promise<HubOutcome> {
    const { outbound } = this.#deps;
    try {
      const { status, headers, text, isCut } = await outbound.send({
        ...this.question(credentials),
        signal,
        timeoutMs: TOTAL_MS,
        maxBytes: MOST_BYTES,
      });
      // As it is with GLPI's hub, the status says nothing where the body does.
      const answer = isCut || (status >= 300 && status < 400) ? null : readAnswer(text);
      return answer ? { answer } : { problem: problemOfStatus(status, headers['content-type'] ?? '') };
    } catch (error) {
      return { problem: problemOfError(error) };
    }
  }
}

/** Who asks, in the headers that every hub of this kind knows. */
export const headersFor = (
  { key, uid, locale }: Omit<HubCredentials, 'hub'>,
  version: string,
): Record<string, string> => ({
  accept: 'application/json',
  'accept-language': locale,
  'user-agent': `Latchkey/${version}`,
  'x-registration-key': key,
  'x-glpi-network-uid': uid,
});
