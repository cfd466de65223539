import { isPublicProvider } from '../keys/address.ts';
import type { KeyForm } from './key-form.ts';
import { DAY_MS, type KeyDraft } from '../keys/key-terms.ts';
import type { InvitationKey, KeyTerms } from '../keys/invitation-key.ts';

export interface Risk {
  /** i18n key under `risk.`. */
  code:
    | 'unlimited-eternal'
    | 'eternal'
    | 'unlimited'
    | 'staff'
    | 'agents'
    | 'no-proof'
    | 'public-provider'
    | 'long-life'
    | 'weak';
  severity: 'warning' | 'danger';
  params: Record<string, string | number>;
  /** Whether one button makes it safer: see `saferForm` and `saferTerms`. */
  safer: boolean;
}

interface Circumstances {
  now: number;
  isStaff: boolean;
  weak: boolean;
  /** People with this profile work at the desk, though they do not run the house. */
  isAgent?: boolean;
}

/** What an administrator should read before handing the key out; none of it is forbidden. */
export function risksOf(terms: KeyTerms, { now, isStaff, weak, isAgent = false }: Circumstances): Risk[] {
  const risks: Risk[] = [];
  const add = (code: Risk['code'], severity: Risk['severity'], params: Risk['params'] = {}): void =>
    void risks.push({ code, severity, params, safer: code !== 'staff' });

  const eternal = terms.expiresAt === null;
  const unlimited = terms.maxUses === null;
  const days = terms.expiresAt === null ? 0 : Math.round((terms.expiresAt - now) / DAY_MS);
  const publicRule = terms.emailDomains.find(isPublicProvider);
  if (eternal && unlimited) add('unlimited-eternal', 'danger');
  else if (eternal) add('eternal', 'warning');
  else if (unlimited) add('unlimited', 'warning');
  if (isStaff) add('staff', 'danger');
  else if (isAgent && terms.maxUses !== 1 && terms.approval === 'auto')
    add('agents', eternal || unlimited ? 'danger' : 'warning');
  if (terms.emailProof === 'none') add('no-proof', 'warning');
  if (publicRule !== undefined) add('public-provider', 'warning', { domain: publicRule });
  if (days > 90) add('long-life', 'warning', { days });
  if (weak) add('weak', 'warning');
  return risks;
}

/** What the button beside a risk changes in the form, as if the administrator had done it. */
export function saferForm(code: string, form: KeyForm): KeyForm {
  const { unlimited: _unlimited, ...limited } = { ...form, maxUses: '25' };
  switch (code) {
    case 'unlimited':
      return limited;
    case 'unlimited-eternal':
      return { ...limited, expires: '14' };
    case 'eternal':
    case 'long-life':
      return { ...form, expires: '14' };
    case 'no-proof':
      return { ...form, emailProof: 'required' };
    case 'agents':
    case 'public-provider':
      return { ...form, approval: 'manual' };
    case 'weak':
      return { ...form, customKey: '' };
    default:
      return form;
  }
}

/** The same for a key that exists; null where it would be another key. */
export function saferTerms(
  code: string,
  { uses }: Pick<InvitationKey, 'uses'>,
  now: number,
): KeyDraft | null {
  const maxUses = Math.max(25, uses);
  const expiresAt = now + 14 * DAY_MS;
  switch (code) {
    case 'unlimited':
      return { maxUses };
    case 'unlimited-eternal':
      return { maxUses, expiresAt };
    case 'eternal':
    case 'long-life':
      return { expiresAt };
    case 'no-proof':
      return { emailProof: 'required' };
    case 'agents':
    case 'public-provider':
      return { approval: 'manual' };
    default:
      return null;
  }
}
