import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type JWK } from 'jose';
import { afterwards } from './cleanup.ts';

/** Whoever sits in front of the provider's own sign-in page. */
export interface Subject {
  sub: string;
  email?: string;
  email_verified?: boolean;
  name?: string;
  [claim: string]: unknown;
}

/** What an ID token may say or be that it must not. */
interface Lies {
  nonce?: string;
  aud?: string;
  iss?: string;
  /** Seconds from now. */
  exp?: number;
  /** Signed with nothing at all. */
  unsigned?: boolean;
  /** Signed with a key that the provider does not publish. */
  foreignKey?: boolean;
  /** The authorization answer names this issuer. */
  responseIss?: string;
}

interface Asked {
  subject: Subject;
  nonce: string | null;
  challenge: string | null;
  redirectUri: string;
}

export const CLIENT = { id: 'helpdesk', secret: 'a secret that nobody must see' };

/** A provider as the standard has it, on loopback, that knows whom to name without asking, and can be told to lie. */
export class OpenidProvider {
  issuer = '';
  /** Who signs in next. */
  subject: Subject = { sub: 'jo-1', email: 'jo@acme.test', email_verified: true, name: 'Jo Martin' };
  lies: Lies = {};
  /** `access_denied`: they pressed cancel there. */
  refusal: string | null = null;
  /** Accepts a code as often as it comes, as no provider should. */
  forgetsCodes = false;
  /** The address is told by the other endpoint only. */
  tellsByUserinfo = false;
  readonly asked: URL[] = [];
  readonly #codes = new Map<string, Asked>();
  readonly #tokens = new Map<string, Subject>();
  readonly #keys = generateKeyPair('RS256');
  readonly #foreign = generateKeyPair('RS256');

  async start(): Promise<this> {
    const server = createServer((req, res) => {
      this.#answer(req, res).catch((error: unknown) => {
        res.writeHead(500).end(String(error));
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.issuer = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    afterwards(() => {
      server.closeAllConnections();
      server.close();
    });
    return this;
  }

  /** What a browser does that is sent there: it comes back with an address of ours. */
  async visit(authorizationUrl: string): Promise<string> {
    const answer = await fetch(authorizationUrl, { redirect: 'manual' });
    const back = answer.headers.get('location');
    if (back === null) throw new Error(`The provider answered ${String(answer.status)}`);
    return back;
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = new URL(req.url ?? '/', this.issuer);
    switch (url.pathname) {
      case '/.well-known/openid-configuration':
        json(res, this.#configuration());
        return;
      case '/jwks':
        json(res, { keys: [await this.#publicKey()] });
        return;
      case '/authorize':
        this.asked.push(url);
        res.writeHead(302, { location: this.#authorize(url.searchParams) }).end();
        return;
      case '/token':
        await this.#token(req, res);
        return;
      case '/userinfo':
        this.#userinfo(req, res);
        return;
      default:
        res.writeHead(404).end();
    }
  }

  #configuration(): object {
    const at = (path: string): string => `${this.issuer}${path}`;
    return {
      issuer: this.issuer,
      authorization_endpoint: at('/authorize'),
      token_endpoint: at('/token'),
      userinfo_endpoint: at('/userinfo'),
      jwks_uri: at('/jwks'),
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
    };
  }

  async #publicKey(): Promise<JWK> {
    const { publicKey } = await this.#keys;
    return { ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256', use: 'sig' };
  }

  #authorize(asked: URLSearchParams): string {
    const redirectUri = asked.get('redirect_uri') ?? '';
    const back = new URL(redirectUri);
    back.searchParams.set('state', asked.get('state') ?? '');
    back.searchParams.set('iss', this.lies.responseIss ?? this.issuer);
    if (this.refusal !== null) {
      back.searchParams.set('error', this.refusal);
      return back.href;
    }
    const code = randomBytes(16).toString('base64url');
    const [nonce, challenge] = [asked.get('nonce'), asked.get('code_challenge')];
    this.#codes.set(code, { subject: this.subject, nonce, challenge, redirectUri });
    back.searchParams.set('code', code);
    return back.href;
  }

  async #token(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const form = new URLSearchParams(await bodyOf(req));
    const basic = `${encodeURIComponent(CLIENT.id)}:${encodeURIComponent(CLIENT.secret).replaceAll('%20', '+')}`;
    if (req.headers.authorization !== `Basic ${Buffer.from(basic).toString('base64')}`) {
      json(res, { error: 'invalid_client' }, 401);
      return;
    }
    const code = form.get('code') ?? '';
    const asked = this.#codes.get(code);
    if (!this.forgetsCodes) this.#codes.delete(code);
    const verifier = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (!asked || asked.challenge !== verifier || asked.redirectUri !== form.get('redirect_uri')) {
      json(res, { error: 'invalid_grant' }, 400);
      return;
    }
    const accessToken = randomBytes(16).toString('base64url');
    this.#tokens.set(accessToken, asked.subject);
    const idToken = await this.#idToken(asked);
    json(res, { access_token: accessToken, token_type: 'Bearer', expires_in: 300, id_token: idToken });
  }

  async #idToken({ subject, nonce }: Asked): Promise<string> {
    const { lies } = this;
    const now = Math.floor(Date.now() / 1000);
    const { sub, ...rest } = subject;
    const claims = { sub, ...(this.tellsByUserinfo ? {} : rest), nonce: lies.nonce ?? nonce };
    const exp = now + (lies.exp ?? 300);
    const [iss, aud] = [lies.iss ?? this.issuer, lies.aud ?? CLIENT.id];
    if (lies.unsigned === true)
      return new UnsecuredJWT(claims)
        .setIssuer(iss)
        .setAudience(aud)
        .setIssuedAt(now)
        .setExpirationTime(exp)
        .encode();
    const { privateKey } = await (lies.foreignKey === true ? this.#foreign : this.#keys);
    return new SignJWT(claims)
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .setIssuer(iss)
      .setAudience(aud)
      .setIssuedAt(now)
      .setExpirationTime(exp)
      .sign(privateKey);
  }

  #userinfo(req: IncomingMessage, res: ServerResponse): void {
    const subject = this.#tokens.get((req.headers.authorization ?? '').replace('Bearer ', ''));
    json(res, subject ?? { error: 'invalid_token' }, subject ? 200 : 401);
  }
}

function json(res: ServerResponse, body: object, status = 200): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function bodyOf(req: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of req) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}
