import { randomBytes, createHmac } from 'node:crypto';
import { AuditService } from '../../src/audit/index.ts';
import type { KeyRing } from '../../src/crypto/key-ring.ts';
import { Hooks } from '../../src/hooks/index.ts';
import { identityServices, staffSecondFactor } from '../../src/identity/index.ts';
import { RateLimits } from '../../src/http/rate-limit.ts';
import type { MailDraft } from '../../src/mail/index.ts';
import { SettingsService } from '../../src/settings/index.ts';
import { system, type Actor } from '../../src/shared/actor.ts';
import { testClock } from '../support/clock.ts';
import { openFreshDatabase, type Engine } from '../support/databases.ts';

/** Cheap enough for tests, and otherwise like the real one. */
export const cheap = { memoryCost: 1024, timeCost: 2, parallelism: 1 };

export const GOOD_PASSWORD = 'seven quiet otters';
export const here = { ip: '192.0.2.7', userAgent: 'Firefox' };

/** Seals by remembering: enough to see that what is opened was sealed for the same place. */
export function fakeKeys(): KeyRing {
  const key = randomBytes(32);
  const sealed = new Map<string, { plaintext: string; context: string }>();
  return {
    mac: (purpose, text) => ({
      keyId: 1,
      digest: createHmac('sha256', key).update(`${purpose}|${text}`).digest(),
    }),
    macs: (purpose, text) => [
      { keyId: 1, digest: createHmac('sha256', key).update(`${purpose}|${text}`).digest() },
    ],
    seal: (plaintext, context) => {
      const nonce = randomBytes(12);
      sealed.set(nonce.toString('hex'), { plaintext, context });
      return { keyId: 1, nonce, ciphertext: randomBytes(32) };
    },
    open: ({ nonce }, context) => {
      const kept = sealed.get(nonce.toString('hex'));
      if (kept?.context !== context) throw new Error('sealed for another place');
      return kept.plaintext;
    },
  };
}

/** The identity domain on a database of its own. */
export async function furnish(engine: Engine) {
  const { db } = await openFreshDatabase(engine);
  const clock = testClock();
  const log = { info() {}, warn() {}, error() {}, debug() {} } as never;
  const audit = new AuditService({ db, clock });
  const hooks = new Hooks({ clock, log });
  const keys = fakeKeys();
  const settings = new SettingsService({ db, clock, audit, keys });
  const sent: MailDraft[] = [];
  const mail = {
    isOn: true,
    queue: (_tx: unknown, draft: MailDraft) => Promise.resolve(String(sent.push(draft))),
  };
  const identity = identityServices({
    db,
    clock,
    log,
    hooks,
    audit,
    settings,
    mail,
    keys,
    limits: new RateLimits(),
    site: () => Promise.resolve({ origin: 'https://desk.acme.test' }),
    hashCost: cheap,
  });
  const { users, memberships, directory } = identity;

  /** From the next sign-in on. */
  async function demandSecondFactor() {
    await db.transaction((tx) => settings.set(tx, system, staffSecondFactor, true));
  }

  let made = 0;
  /** Somebody with an account; name only what matters. */
  async function person({
    email,
    name = 'Jo Martin',
    password = GOOD_PASSWORD,
    actor = system,
  }: { email?: string; name?: string; password?: string; actor?: Actor } = {}) {
    made += 1;
    const prepared = await users.prepare(
      { email: email ?? `person${String(made)}@acme.test`, name, password },
      { lane: 'sign-in' },
    );
    return db.transaction((tx) => users.insert(tx, prepared, { actor, emailProven: true }));
  }

  /** Gives a profile, as the house itself. */
  async function give(userId: string, profileId: string, entityId: string, { recursive = true } = {}) {
    await db.transaction((tx) =>
      memberships.grant(tx, { userId, profileId, entityId, recursive }, { actor: system }),
    );
    const actor = await directory.actorById(userId);
    if (!actor) throw new Error('no such actor');
    return actor;
  }

  return { db, clock, audit, hooks, settings, mail, sent, ...identity, demandSecondFactor, person, give };
}

export type House = Awaited<ReturnType<typeof furnish>>;
