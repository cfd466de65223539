import type { Host } from 'latchkey/plugin-api';
import { countByCopy, listCopies } from '../copies/copy-repository.ts';
import type { Funnel } from './funnel.ts';
import { funnelOf, presentFunnel } from './funnel-presenter.ts';

interface Deps {
  host: Host;
  funnel: Funnel;
}

/** What the page of a key tells about how it fares. */
export class KeyInsight {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async of(keyId: string, { locale, joined }: { locale: string; joined: number }): Promise<object> {
    const { host, funnel } = this.#deps;
    await funnel.flush();
    const copies = await listCopies(host.db, keyId);
    const byCopy = copies.length === 0 ? new Map<string, never>() : await countByCopy(host.db, keyId);
    const bars = copies.map(({ id, name }) => ({ label: name, value: byCopy.get(id)?.joined ?? 0 }));
    const byCopies = bars.reduce((sum, { value }) => sum + value, 0);
    const ownLink = { label: host.t('copies.own-link', {}, locale), value: Math.max(0, joined - byCopies) };
    return {
      funnel: presentFunnel(host, await funnelOf(host.db, keyId), { locale }),
      copies: copies.length,
      copyBars: copies.length === 0 ? [] : [ownLink, ...bars],
    };
  }
}
