export type ProfileKind = 'portal' | 'staff';

/** A named set of rights. Built-in ones have a key and follow what each right suggests; others list theirs. */
export interface Profile {
  id: string;
  key: string | null;
  name: string;
  /** People of the desk live by shorter sessions, and may be asked for a second factor. */
  kind: ProfileKind;
  /** Of custom profiles only. */
  rights: readonly string[];
  version: number;
  createdAt: number;
}

export const BUILT_IN_PROFILES = {
  'self-service': '000000000000000000000000P1',
  technician: '000000000000000000000000P2',
  supervisor: '000000000000000000000000P3',
  administrator: '000000000000000000000000P4',
  'super-admin': '000000000000000000000000P5',
} as const;
