/** Declared here, registered where all rights are. Whoever may manage plugins decides which code runs: it is suggested to nobody. */
export const pluginRights = [{ id: 'plugin.manage', group: 'administration', suggest: [] }] as const;
