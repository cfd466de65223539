import { isPublicProvider } from '../join/address.ts';
import { DAY_MS } from './key-terms.ts';
import type { KeyTerms } from './invitation-key.ts';

export interface Risk {
  /** i18n key under `risk.`. */
  code:
    | 'unlimited-eternal'
    | 'eternal'
    | 'unlimited'
    | 'staff'
    | 'no-proof'
    | 'public-provider'
    | 'long-life'
    | 'weak';
  severity: 'warning' | 'danger';
  params: Record<string, string | number>;
}

interface Circumstances {
  now: number;
  isStaff: boolean;
  weak: boolean;
}

/** What an administrator should read before handing the key out; none of it is forbidden. */
export function risksOf(terms: KeyTerms, { now, isStaff, weak }: Circumstances): Risk[] {
  const risks: Risk[] = [];
  const add = (code: Risk['code'], severity: Risk['severity'], params: Risk['params'] = {}): void =>
    void risks.push({ code, severity, params });

  const eternal = terms.expiresAt === null;
  const unlimited = terms.maxUses === null;
  const days = terms.expiresAt === null ? 0 : Math.round((terms.expiresAt - now) / DAY_MS);
  const publicRule = terms.emailDomains.find(isPublicProvider);
  if (eternal && unlimited) add('unlimited-eternal', 'danger');
  else if (eternal) add('eternal', 'warning');
  else if (unlimited) add('unlimited', 'warning');
  if (isStaff) add('staff', 'danger');
  if (terms.emailProof === 'none') add('no-proof', 'warning');
  if (publicRule !== undefined) add('public-provider', 'warning', { domain: publicRule });
  if (days > 90) add('long-life', 'warning', { days });
  if (weak) add('weak', 'warning');
  return risks;
}
