import type { Manifest } from './manifest.ts';
import type { PluginInstaller } from './plugin-installer.ts';
import type { Trust } from './publisher-keys.ts';
import type { ActualState } from './plugin-repository.ts';
import type { PluginFacts } from './plugin-facts.ts';

const tones: Record<ActualState, string> = {
  enabled: 'success',
  disabled: 'quiet',
  failed: 'danger',
  quarantined: 'danger',
  'safe-mode': 'warning',
};
const icons: Record<ActualState, string> = {
  enabled: 'circle-check',
  disabled: 'plug-off',
  failed: 'alert-triangle',
  quarantined: 'alert-triangle',
  'safe-mode': 'shield',
};

/** Wanted but not running comes before all else: that is what one comes to mend. */
export const inOrder = (one: PluginFacts, other: PluginFacts): number =>
  Number(isTroubled(other)) - Number(isTroubled(one)) || one.name.localeCompare(other.name);

const isTroubled = ({ state }: PluginFacts): boolean => state === 'failed' || state === 'quarantined';

export function presentPlugin(plugin: PluginFacts): object {
  const { id, name, description, version, state, step, error, isBundled, manifest } = plugin;
  return {
    id,
    name,
    description,
    version,
    waitingVersion: plugin.waitingVersion,
    isBundled,
    step,
    error,
    publisher: manifest?.publisher ?? '',
    license: manifest?.license ?? '',
    homepage: manifest?.homepage ?? '',
    hasManifest: manifest !== null,
    path: `/admin/plugins/${id}`,
    pill: { label: `plugins:state.${state}`, tone: tones[state], icon: icons[state] },
    isTroubled: isTroubled(plugin),
    isEnabled: plugin.desired === 'enabled',
    dependents: plugin.dependents,
    requirements: [...new Set([...plugin.requirements, ...plugin.returning])],
    changedAt: plugin.changedAt,
    changedBy: plugin.changedBy,
  };
}

/** What a package is and what would change with it. */
export function presentPlan({
  manifest,
  version,
  from,
  added,
  sha256,
  size,
  trust,
  signedBy,
  acceptedBy,
  wentWrong,
}: Awaited<ReturnType<PluginInstaller['look']>>): object {
  const { name, description, publisher, license } = manifest;
  return {
    name: name.startsWith('t:') ? manifest.id : name,
    description: description.startsWith('t:') ? '' : description,
    publisher,
    license,
    version,
    from,
    added,
    sha256,
    kilobytes: Math.ceil(size / 1024),
    touches: presentTouches(manifest),
    signature: signatureOf({ trust, signedBy }),
    mustDecide: trust === 'unsigned' && acceptedBy === null,
    wentWrong,
  };
}

/** Who answers for it, as a text. */
const signatureOf = ({ trust, signedBy }: Trust): { key: string; params: Record<string, string> } => {
  const kind = trust === 'unsigned' && signedBy !== null ? 'unknown-key' : trust;
  return { key: `plugins:signature.${kind}`, params: { by: signedBy ?? '' } };
};

export function presentDetails(plugin: PluginFacts): object {
  const { manifest, nodes, releases, chosen, previous } = plugin;
  return {
    ...presentPlugin(plugin),
    previous,
    watched: plugin.watched,
    disabledWith: plugin.disabledWith,
    canGo: !plugin.isBundled,
    releases: releases.toReversed().map((release) => ({
      ...release,
      isChosen: release.version === chosen,
      signature: signatureOf(release),
      path: `/admin/plugin-packages/${plugin.id}/${encodeURIComponent(release.version)}`,
    })),
    touches: manifest ? presentTouches(manifest) : [],
    claims: manifest?.claims ?? [],
    rights: plugin.rightTitles,
    failing: plugin.failing,
    jobs: manifest?.jobs.map(({ id }) => id) ?? [],
    commands: manifest?.commands.toSorted() ?? [],
    overrides: manifest?.overrides.map(({ template }) => template) ?? [],
    drifted: plugin.drifted,
    hasSettings: (manifest?.settings.length ?? 0) > 0,
    listens: plugin.listens.map((one) => ({
      ...one,
      average: one.averageMs === null ? null : Math.round(one.averageMs * 100) / 100,
    })),
    nodes: nodes.map(({ node, state, version, error, changedAt }) => ({
      node,
      version,
      error,
      changedAt,
      pill: { label: `plugins:state.${state}`, tone: tones[state], icon: icons[state] },
    })),
  };
}

/** What it may touch, one text each. */
export function presentTouches({
  permissions,
  tablePrefix,
}: Manifest): { key: string; params: Record<string, string> }[] {
  const { db, users, memberships, sessions, mail, tickets, net } = permissions;
  const plain = (key: string): { key: string; params: Record<string, string> } => ({ key, params: {} });
  return [
    ...(db.length > 0 ? [{ key: 'plugins:touch.db', params: { prefix: tablePrefix ?? '' } }] : []),
    ...users.map((what) => plain(`plugins:touch.users.${what}`)),
    ...memberships.map((what) => plain(`plugins:touch.memberships.${what}`)),
    ...(sessions ? [plain('plugins:touch.sessions')] : []),
    ...(mail ? [plain('plugins:touch.mail')] : []),
    ...tickets.map((what) => plain(`plugins:touch.tickets.${what}`)),
    ...net.map((address) => ({ key: 'plugins:touch.net', params: { address } })),
  ];
}
