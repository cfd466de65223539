import {
  ForbiddenError,
  InvalidInputError,
  UnavailableError,
  z,
  type Host,
  type KnownError,
  type ProviderClaims,
  type ProviderReturn,
  type ProviderStart,
} from 'latchkey/plugin-api';
import * as openid from 'openid-client';
import { houseFetch } from './house-fetch.ts';
import { isLoopback, type Provider } from './provider.ts';
import { readSecret } from './provider-repository.ts';

const KEPT_MS = 60 * 60_000;
/** A clock that is wrong by less than this is right enough. */
const TOLERANCE_S = 30;
/** How old a proof may be that was to be made just now. */
const FRESH_S = 300;

const memorySchema = z.object({ verifier: z.string(), nonce: z.string() });
const text = z.string().trim().min(1).max(300).nullable().catch(null);
const address = text.refine((said) => said === null || /^[^\s@]+@[^\s@]+$/.test(said)).catch(null);

interface Known {
  version: number;
  config: Promise<openid.Configuration>;
  until: number;
}

export const secretContext = (id: string): string => `oidc-secret|${id}`;

/**
 * The talk with a provider: discovery, code flow with PKCE, state and nonce, and an ID token whose signature is checked against the
 * provider's own keys although it came over TLS. What goes wrong is told to people in words and to the log in codes.
 */
export class OpenidLine {
  readonly #host: Host;
  readonly #known = new Map<string, Known>();

  constructor(host: Host) {
    this.#host = host;
  }

  async start(provider: Provider, asked: ProviderStart): Promise<{ url: string; memory: string }> {
    const { redirectUri, state, locale, again, choose } = asked;
    return this.#telling(provider, async () => {
      const config = await this.#configOf(provider);
      const verifier = openid.randomPKCECodeVerifier();
      const nonce = openid.randomNonce();
      const url = openid.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope: provider.scopes,
        state,
        nonce,
        code_challenge: await openid.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        ui_locales: locale,
        ...(again ? { prompt: 'login', max_age: '0' } : choose ? { prompt: 'select_account' } : {}),
      });
      return { url: url.href, memory: JSON.stringify({ verifier, nonce }) };
    });
  }

  async finish(provider: Provider, { url, state, memory, again }: ProviderReturn): Promise<ProviderClaims> {
    return this.#telling(provider, async () => {
      const config = await this.#configOf(provider);
      const { verifier, nonce } = memorySchema.parse(JSON.parse(memory));
      const tokens = await openid.authorizationCodeGrant(config, new URL(url), {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (!claims) throw notBelieved(provider);
      if (again && !isFresh(claims))
        throw new ForbiddenError('openid-connect.not-again', { params: { provider: provider.title } });
      const more = await this.#moreOf(config, tokens.access_token, claims);
      return claimsOf(provider, { ...more, ...claims });
    });
  }

  /** What an administrator wants to know: whether it answers as it should, asked now and not from memory. */
  async look(provider: Provider): Promise<{ issuer: string; problem: string | null }> {
    this.#known.delete(provider.id);
    try {
      const { issuer } = (await this.#configOf(provider)).serverMetadata();
      return { issuer, problem: null };
    } catch (error) {
      return { issuer: provider.issuer, problem: reasonOf(error) };
    }
  }

  /** The address may be told only by the other endpoint. It is asked under the subject that the token has proven. */
  async #moreOf(
    config: openid.Configuration,
    accessToken: string,
    claims: openid.IDToken,
  ): Promise<openid.JsonObject> {
    const isEnough = typeof claims['email'] === 'string' && typeof claims['name'] === 'string';
    if (isEnough || config.serverMetadata().userinfo_endpoint === undefined) return {};
    return { ...(await openid.fetchUserInfo(config, accessToken, claims.sub)) };
  }

  #configOf(provider: Provider): Promise<openid.Configuration> {
    const now = this.#host.clock.now();
    const known = this.#known.get(provider.id);
    if (known?.version === provider.version && now < known.until) return known.config;
    const config = this.#discover(provider);
    this.#known.set(provider.id, { version: provider.version, config, until: now + KEPT_MS });
    // What failed is asked again by whoever comes next.
    config.catch(() => this.#known.delete(provider.id));
    return config;
  }

  async #discover({ id, issuer, clientId }: Provider): Promise<openid.Configuration> {
    const { db, keys, outbound } = this.#host;
    const sealed = await readSecret(db, id);
    const secret = sealed === null ? null : keys.open(sealed, secretContext(id));
    const url = new URL(issuer);
    return openid.discovery(
      url,
      clientId,
      { [openid.clockTolerance]: TOLERANCE_S },
      secret === null ? openid.None() : secretAs(secret),
      {
        [openid.customFetch]: houseFetch(outbound),
        execute: [
          openid.enableNonRepudiationChecks,
          // Only on this machine, where the guard of the way out must allow it as well.
          // eslint-disable-next-line @typescript-eslint/no-deprecated -- marked so to be noticed
          ...(isLoopback(url) ? [openid.allowInsecureRequests] : []),
        ],
      },
    );
  }

  async #telling<T>({ slug, title }: Provider, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const told = tellingOf(error, title);
      this.#host.log.warn({ provider: slug, reason: reasonOf(error), code: told.code }, 'A sign-in failed');
      throw told;
    }
  }
}

/** As the provider wants it; the header unless it says that it knows only the form. */
const secretAs = (secret: string): openid.ClientAuth => {
  const inHeader = openid.ClientSecretBasic(secret);
  const inForm = openid.ClientSecretPost(secret);
  return (server, ...rest) => {
    const known = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    (known.includes('client_secret_basic') ? inHeader : inForm)(server, ...rest);
  };
};

function claimsOf(
  { trustedDomains, assumesVerified }: Provider,
  said: Record<string, unknown> & { iss: string; sub: string },
): ProviderClaims {
  const email = address.parse(said['email']);
  const domain = email?.slice(email.lastIndexOf('@') + 1).toLowerCase() ?? '';
  const isAssumed =
    said['email_verified'] === undefined && assumesVerified && trustedDomains.includes(domain);
  return {
    issuer: said.iss,
    subject: said.sub,
    email,
    emailVerified: email !== null && (said['email_verified'] === true || isAssumed),
    name: text.parse(said['name']) ?? text.parse(said['preferred_username']),
  };
}

/** Judged by the provider's own clock. One that does not say when it was, has at least been asked to ask. */
const isFresh = ({ auth_time: at, iat }: openid.IDToken): boolean =>
  typeof at !== 'number' || iat - at <= FRESH_S;

/** For people: what happened and what to do. */
function tellingOf(error: unknown, provider: string): KnownError {
  const params = { provider };
  if (error instanceof ForbiddenError) return error;
  if (error instanceof openid.AuthorizationResponseError) {
    const isTheirs = ['access_denied', 'login_required', 'interaction_required', 'consent_required'];
    return isTheirs.includes(error.error)
      ? new InvalidInputError('openid-connect.cancelled', { params })
      : new UnavailableError('openid-connect.refused', { params });
  }
  if (error instanceof openid.ResponseBodyError)
    return error.error === 'invalid_grant'
      ? new InvalidInputError('openid-connect.code-spent', { params })
      : new UnavailableError('openid-connect.refused', { params });
  if (isDisbelief(error)) return new ForbiddenError('openid-connect.not-believed', { params });
  return new UnavailableError('openid-connect.unreachable', { params });
}

const notBelieved = ({ title }: { title: string }): ForbiddenError =>
  new ForbiddenError('openid-connect.not-believed', { params: { provider: title } });

/** It answered, and what it said does not hold. */
const isDisbelief = (error: unknown): boolean =>
  error instanceof openid.ClientError &&
  error.code !== undefined &&
  /^OAUTH_(?!TIMEOUT|HTTP)/.test(error.code);

/** For the log and for administrators: codes of the protocol, never what was sent. */
function reasonOf(error: unknown): string {
  if (error instanceof openid.AuthorizationResponseError || error instanceof openid.ResponseBodyError)
    return error.error.slice(0, 80);
  if (!(error instanceof Error)) return 'unknown';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  const inner = error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return `${code}: ${error.message}${inner}`.slice(0, 300);
}
