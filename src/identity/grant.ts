/** Who may what, where: the profile holds in the entity, and below it if recursive. */
export interface Grant {
  id: string;
  userId: string;
  profileId: string;
  entityId: string;
  isRecursive: boolean;
  createdAt: number;
  createdBy: string | null;
}

export interface GrantDraft {
  userId: string;
  profileId: string;
  entityId: string;
  recursive: boolean;
}
