import type { Outbound } from '../outbound/outbound.ts';
import { readAnswer, type HubAnswer } from './hub-answer.ts';
import { problemOfError, problemOfStatus, type HubProblem } from './hub-problem.ts';

export interface HubQuestion {
  /** Without a slash at its end. */
  hub: string;
  key: string;
  uid: string;
  locale: string;
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

  async ask({ hub, key, uid, locale, signal }: HubQuestion): Promise<HubOutcome> {
    const { outbound, version } = this.#deps;
    try {
      const { status, headers, text, isCut } = await outbound.send({
        url: `${hub}/api/registration/info`,
        method: 'GET',
        headers: {
          accept: 'application/json',
          'accept-language': locale,
          'user-agent': `Latchkey/${version}`,
          'x-registration-key': key,
          'x-glpi-network-uid': uid,
        },
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
