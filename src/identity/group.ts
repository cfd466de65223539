/** People who work or belong together, within one entity. */
export interface Group {
  id: string;
  entityId: string;
  name: string;
  version: number;
  createdAt: number;
}

export interface GroupMember {
  groupId: string;
  userId: string;
  /** May add and remove members. */
  isManager: boolean;
}
