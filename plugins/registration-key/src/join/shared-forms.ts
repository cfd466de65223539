import type { Host, SiteFacts } from 'latchkey/plugin-api';
import type { InvitationKey } from '../keys/invitation-key.ts';
import { fieldsOf, presentForm } from './join-presenter.ts';

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
    const [site, fields] = [await this.#host.site(), await fieldsOf(this.#host, key, locale)];
    const forms = this.#made.get(key) ?? new Map<string, Made>();
    const what = fields.length === 0 ? locale : locale + JSON.stringify(fields);
    const now = this.#host.clock.now();
    const known = forms.get(what);
    if (known?.site === site && known.until > now) return known.model;

    const model = await presentForm(this.#host, { key, handle: null, mailing: null, locale, fields });
    this.#made.set(key, forms.set(what, { site, model, until: now + KEPT_MS }));
    return model;
  }
}
