import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

/** Answered to the last: by them balancers learn that nothing new should come here. */
const ALWAYS_ANSWERED = ['/healthz', '/readyz', '/metrics'];
/** Seconds; by then another node has taken over, or this one is back. */
const RETRY_AFTER = '5';

/** Counts the requests under way. Once it begins to drain, those are finished and nothing new is let in. */
export class Drain {
  #underWay = 0;
  #isDraining = false;
  #whenEmpty: () => void = () => undefined;

  listener(app: RequestListener): RequestListener {
    return (req, res) => {
      if (ALWAYS_ANSWERED.includes(pathOf(req))) {
        app(req, res);
        return;
      }
      if (this.#isDraining) {
        turnAway(res);
        return;
      }
      this.#underWay += 1;
      res.once('close', () => {
        this.#underWay -= 1;
        if (this.#underWay === 0) this.#whenEmpty();
      });
      app(req, res);
    };
  }

  /** Waits until nothing is under way any more, at most `withinMs`. */
  async begin({ withinMs }: { withinMs: number }): Promise<void> {
    this.#isDraining = true;
    if (this.#underWay === 0) return;
    await new Promise<void>((resolve) => {
      const patience = setTimeout(resolve, withinMs);
      this.#whenEmpty = () => {
        clearTimeout(patience);
        resolve();
      };
    });
  }
}

const pathOf = ({ url = '' }: IncomingMessage): string => url.split('?', 1)[0] ?? '';

function turnAway(res: ServerResponse): void {
  res.writeHead(503, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Cache-Control': 'no-store',
    'Retry-After': RETRY_AFTER,
    Connection: 'close',
  });
  res.end('This server is being restarted. Please try again in a moment.\n');
}
