import type { Host } from 'latchkey/plugin-api';
import { countByCopy, listCopies } from '../copies/copy-repository.ts';
import type { InvitationKey } from '../keys/invitation-key.ts';
import type { NoticeService } from '../notices/notice-service.ts';
import type { Funnel } from './funnel.ts';
import { funnelOf, presentFunnel } from './funnel-presenter.ts';

interface Deps {
  host: Host;
  funnel: Funnel;
  notices: NoticeService;
}

/** What the page of a key tells about how it fares. */
export class KeyInsight {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async of(key: InvitationKey, { locale, joined }: { locale: string; joined: number }): Promise<object> {
    const { host, funnel, notices } = this.#deps;
    const keyId = key.id;
    await funnel.flush();
    const copies = await listCopies(host.db, keyId);
    const byCopy = copies.length === 0 ? new Map<string, never>() : await countByCopy(host.db, keyId);
    const bars = copies.map(({ id, name }) => ({ label: name, value: byCopy.get(id)?.joined ?? 0 }));
    const byCopies = bars.reduce((sum, { value }) => sum + value, 0);
    const ownLink = { label: host.t('copies.own-link', {}, locale), value: Math.max(0, joined - byCopies) };
    return {
      funnel: presentFunnel(host, await funnelOf(host.db, keyId), { locale }),
      copies: copies.length,
      notices: await notices.choiceOf(key),
      copyBars: copies.length === 0 ? [] : [ownLink, ...bars],
    };
  }
}
