/** Declared here, registered where all rights are. */
export const jobsRights = [
  { id: 'background.manage', group: 'administration', suggest: ['administrator'] },
] as const;
