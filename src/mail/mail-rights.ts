/** Declared here, registered where all rights are. */
export const mailRights = [
  { id: 'mail.manage', group: 'administration', suggest: ['administrator'] },
] as const;
