import { auditEvent } from '../audit/index.ts';

export const pluginEnabled = auditEvent('plugin.enabled', 'A plugin is wanted on every node.');
export const pluginDisabled = auditEvent(
  'plugin.disabled',
  'A plugin is not wanted any more; its data stays.',
);
export const pluginPurged = auditEvent(
  'plugin.purged',
  'The schema of a plugin was taken back, with all in it.',
);
export const pluginStaged = auditEvent(
  'plugin.staged',
  'A version of a plugin was put in; nothing runs it yet.',
);
export const pluginVersionUsed = auditEvent(
  'plugin.version-used',
  'This version of a plugin is the one in use, on every node.',
);
export const pluginUninstalled = auditEvent(
  'plugin.uninstalled',
  'A plugin and its packages were taken out.',
);
