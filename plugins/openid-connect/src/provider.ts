import { InvalidInputError, type FieldProblem } from 'latchkey/plugin-api';

/** An OpenID provider as administrators have set it up. */
export interface Provider {
  id: string;
  /** Part of the redirect address that the other side knows, so it stays. */
  slug: string;
  title: string;
  icon: string;
  issuer: string;
  clientId: string;
  scopes: string;
  trustedDomains: string[];
  /** It does not say whether an address is verified; those of the trusted domains are. */
  assumesVerified: boolean;
  isTwoFactor: boolean;
  isOn: boolean;
  version: number;
  createdAt: number;
  updatedAt: number;
}

export type ProviderDraft = Omit<Provider, 'id' | 'version' | 'createdAt' | 'updatedAt'>;

export const icons = ['login-2', 'building', 'school', 'id-badge-2', 'shield-lock', 'users'] as const;

const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/;

/** Tidied, or an error that names each field that cannot be so. */
export function assertSound(draft: ProviderDraft): ProviderDraft {
  const tidy = {
    ...draft,
    issuer: draft.issuer.trim(),
    scopes: [...new Set(['openid', ...draft.scopes.split(/[\s,]+/)])]
      .filter((scope) => scope !== '')
      .join(' '),
    trustedDomains: draft.trustedDomains.map((domain) => domain.toLowerCase().replace(/^@/, '')),
  };
  const fields: FieldProblem[] = [
    ...(/^[a-z0-9]+(-[a-z0-9]+)*$/.test(tidy.slug) ? [] : [problem('slug', 'slug')]),
    ...issuerProblems(tidy.issuer),
    ...tidy.trustedDomains
      .filter((domain) => !DOMAIN.test(domain))
      .map((domain) => ({ ...problem('trustedDomains', 'domain'), params: { domain: domain.slice(0, 80) } })),
  ];
  if (fields.length > 0) throw new InvalidInputError('input.invalid', { fields });
  return tidy;
}

/** Without https anybody on the way could answer in the provider's name; on this machine there is no way. */
function issuerProblems(issuer: string): FieldProblem[] {
  const url = URL.parse(issuer);
  if (url === null || url.username !== '' || url.search !== '' || url.hash !== '')
    return [problem('issuer', 'issuer')];
  return url.protocol === 'https:' || isLoopback(url) ? [] : [problem('issuer', 'https')];
}

export const isLoopback = ({ protocol, hostname }: URL): boolean =>
  protocol === 'http:' && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);

const problem = (field: string, what: string): FieldProblem => ({ field, code: `openid-connect.${what}` });
