/** Declared here, registered where all rights are. */
export const networkRights = [
  { id: 'network.manage', group: 'administration', suggest: ['administrator'] },
  {
    id: 'network.support',
    group: 'administration',
    suggest: ['technician', 'supervisor', 'administrator'],
  },
] as const;
