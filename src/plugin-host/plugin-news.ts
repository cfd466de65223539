import type { Database, Tx } from '../db/database.ts';
import type { NotificationKind, NotificationService } from '../notifications/index.ts';
import type { Clock } from '../shared/clock.ts';
import { noteTrouble } from './plugin-repository.ts';
import type { SafeModeFacts } from './safe-mode.ts';

/** What the host does with a plugin without anybody having asked. */
const troubles = {
  troubled: 'alert-triangle',
  ended: 'plug-off',
  quarantined: 'plug-off',
  returned: 'arrow-back-up',
} as const;
export type TroubleKind = keyof typeof troubles;

/** Of no plugin in particular. */
const SAFE_MODE = { 'safe-mode': 'shield' };

/** For `NotificationService.addKind`. */
export const pluginNoticeKinds: readonly NotificationKind[] = Object.entries({
  ...troubles,
  ...SAFE_MODE,
}).map(([what, icon]) => ({
  id: `plugin.${what}`,
  text: `plugins:notice.${what}`,
  label: `plugins:notice-kind.${what}`,
  icon,
  bell: true,
  mail: true,
}));

export interface Trouble {
  what: TroubleKind;
  id: string;
  version: string;
  /** What went wrong, in its own words. */
  problem: string;
  /** Where it was seen. */
  node: string | null;
  /** The version to which one may go back, or which is in use again. */
  previous: string | null;
}

interface Deps {
  db: Database;
  clock: Clock;
  notifications: Pick<NotificationService, 'notify'>;
  /** Whoever looks after plugins. */
  caretakers: () => Promise<{ id: string }[]>;
}

/** The same trouble on other servers, or again after a restart, is no news. */
const NEWS_AGAIN_MS = 24 * 3_600_000;

/** Tells those who look after plugins, by bell and mail, what became of one, why, and what is the way back. */
export class PluginNews {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async tell(trouble: Trouble): Promise<void> {
    await this.#deps.db.transaction((tx) => this.tellIn(tx, trouble));
  }

  /** Once, however many servers see it, until somebody has changed what is wanted of the plugin. */
  async tellIn(tx: Tx, trouble: Trouble): Promise<void> {
    const { clock, notifications, caretakers } = this.#deps;
    const { what, id } = trouble;
    const now = clock.now();
    if (!(await noteTrouble(tx, id, { what, now, notSince: now - NEWS_AGAIN_MS }))) return;
    const { problem, version, node, previous } = trouble;
    const params = { name: id, version, node: node ?? '', previous: previous ?? '' };
    await notifications.notify(tx, {
      userIds: (await caretakers()).map((person) => person.id),
      kind: `plugin.${what}`,
      subject: { type: 'plugin', id },
      link: `/admin/plugins/${id}`,
      params,
      mail: {
        template: 'mail/plugin-trouble',
        model: { what, id, params, problem, waysBack: waysBack(trouble), link: `/admin/plugins/${id}` },
      },
    });
  }

  /** That a server came up without plugins although nobody had asked for that. */
  async tellOfSafeMode({ reason, node, suspects }: SafeModeFacts): Promise<void> {
    const { db, notifications, caretakers } = this.#deps;
    const userIds = (await caretakers()).map((person) => person.id);
    await db.transaction((tx) =>
      notifications.notify(tx, {
        userIds,
        kind: 'plugin.safe-mode',
        subject: { type: 'server', id: node },
        link: '/admin/plugins',
        params: { node },
        mail: {
          template: 'mail/safe-mode',
          model: { reason, node, suspects, waysOut: waysOut(suspects), link: '/admin/plugins' },
        },
      }),
    );
  }
}

const disabling = (id: string): string => `latchkey plugin disable ${id}`;

/** Without a suspect somebody has to look for one. */
function waysOut(suspects: SafeModeFacts['suspects']): { text: string; command: string }[] {
  const named = suspects.map(({ plugin }) => ({
    text: 'disable-suspect',
    plugin,
    command: disabling(plugin.split('@', 1)[0] ?? plugin),
  }));
  const search = [
    { text: 'list', command: 'latchkey plugin list' },
    { text: 'bisect', command: 'latchkey plugin bisect start' },
  ];
  return named.length > 0 ? named : search;
}

/** Commands that work while the web does not. */
function waysBack({ what, id, previous }: Trouble): { text: string; command: string }[] {
  const rollback = { text: 'rollback', command: `latchkey plugin rollback ${id}` };
  const isThere = previous !== null && what !== 'returned';
  const disable = { text: 'disable', command: disabling(id) };
  const retry = { text: 'retry', command: `latchkey plugin enable ${id}` };
  return [...(what === 'returned' ? [] : [retry, disable]), ...(isThere ? [rollback] : [])];
}
