/** Declared here, registered where all rights are. */
export const networkRights = [
  { id: 'network.manage', group: 'administration', suggest: ['administrator'] },
] as const;
