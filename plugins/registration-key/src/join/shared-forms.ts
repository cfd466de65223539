import type { Host, SiteFacts } from 'latchkey/plugin-api';
import type { InvitationKey } from '../keys/invitation-key.ts';
import { presentForm } from './join-presenter.ts';

interface Made {
  site: SiteFacts;
  model: object;
  until: number;
}

/** What plugins and settings say about a form may be this late. */
const KEPT_MS = 5_000;

/**
 * The empty form of a key: the same for everybody who opens it, so it is made once and its page is drawn once. Nothing of one visitor
 * may be in it; what is theirs alone (their handle, the id of their redemption) is put in afterwards.
 */
export class SharedForms {
  readonly #host: Host;
  readonly #made = new WeakMap<InvitationKey, Map<string, Made>>();

  constructor(host: Host) {
    this.#host = host;
  }

  async of(key: InvitationKey, locale: string): Promise<object> {
    const site = await this.#host.site();
    const forms = this.#made.get(key) ?? new Map<string, Made>();
    const now = this.#host.clock.now();
    const known = forms.get(locale);
    if (known?.site === site && known.until > now) return known.model;

    const model = await presentForm(this.#host, { key, handle: null, mailing: null, locale });
    this.#made.set(key, forms.set(locale, { site, model, until: now + KEPT_MS }));
    return model;
  }
}
