import { defineContribution } from '../hooks/tokens.ts';

/** What a provider says of somebody who has signed in there. Whoever answers with it has verified it. */
export interface ProviderClaims {
  /** Who says it. Together with `subject` it names one person for ever; an address never does. */
  issuer: string;
  subject: string;
  email: string | null;
  /** The provider has seen to it that they read that mailbox. */
  emailVerified: boolean;
  name: string | null;
}

interface ProviderTrip {
  /** Where the provider sends the browser back to. */
  redirectUri: string;
  /** Goes there, and has to come back as it is. */
  state: string;
  locale: string;
  /** They must prove anew who they are, whatever session the provider still has. */
  again: boolean;
}

export interface ProviderStart extends ProviderTrip {
  /** They may want another account than the one the provider has open: let them choose. */
  choose: boolean;
}

export interface ProviderReturn extends ProviderTrip {
  /** The address the browser came back to, with all that the provider wrote into it. */
  url: string;
  /** What `start` asked to be remembered. */
  memory: string;
}

/** Another system that tells who somebody is. Core keeps sessions, links and rules; a provider only asks and answers. */
export interface AuthProvider {
  /** Small letters, digits and hyphens; part of the redirect address, so it never changes. */
  id: string;
  /** As the button says it: “Continue with <title>”. */
  title: string;
  /** A Tabler icon. */
  icon: string;
  /** Addresses of these domains are this provider's to give: an account that has a verified one is linked without being asked. */
  trustedDomains: readonly string[];
  /** It asks for a second factor itself, so ours is not asked for. */
  isTwoFactor: boolean;
  /** Where to send the browser, and what has to be known when it is back; that travels sealed, in a cookie. */
  start(asked: ProviderStart): Promise<{ url: string; memory: string }>;
  /** Who came back. Refuses with a `KnownError`, whose text tells people what to do. */
  finish(back: ProviderReturn): Promise<ProviderClaims>;
}

export const authProviders = defineContribution<readonly AuthProvider[]>({
  name: 'sign-in.providers',
  summary: 'Other systems that people sign in and join with: an OpenID provider, a company directory.',
  since: '0.1.0',
  budgetMs: 50,
});
