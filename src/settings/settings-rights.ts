/** Declared here, registered where all rights are. */
export const settingsRights = [
  { id: 'settings.manage', group: 'administration', suggest: ['administrator'] },
] as const;
