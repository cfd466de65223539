import type { KeyTerms } from './invitation-key.ts';

/** What a draft comes to, before anything is made of it. */
export interface Plan {
  terms: KeyTerms;
  isStaff: boolean;
  isAgent: boolean;
  weak: boolean;
  custom: string | null;
  /** Within the quota of somebody who may invite, and no more. */
  byMember: boolean;
  /** Whether another administrator has to agree before it lets anybody in. */
  waitsForSecond: boolean;
}
