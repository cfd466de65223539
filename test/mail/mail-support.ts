import { join } from 'node:path';
import { inject } from 'vitest';
import { AuditService } from '../../src/audit/index.ts';
import { KeyStore } from '../../src/crypto/key-store.ts';
import type { Database } from '../../src/db/database.ts';
import { silentLog } from '../../src/log.ts';
import {
  Courier,
  MailService,
  smtpTransport,
  type MailDraft,
  type MailSite,
  type MailTransport,
} from '../../src/mail/index.ts';
import { afterwards } from '../support/cleanup.ts';
import { testClock, type TestClock } from '../support/clock.ts';

export const secret = 'lkrst_WR0ZKX7BHVCNRDJ23KYQFM817EGYTPJN';

/** What the templates of a domain would make of it. */
const renderer = {
  renderMail: (name: string, model: object) => ({
    subject: `About ${name}`,
    html: `<p>${JSON.stringify(model)}</p>`,
    text: `Bonjour à vous, ${JSON.stringify(model)}\n`,
  }),
};
const site: MailSite = () =>
  Promise.resolve({
    organisation: { name: 'Acme Café' },
    origin: 'http://desk.example.org',
    timeZone: 'UTC',
  });

export interface PostOffice {
  mail: MailService;
  /** Another courier of the same house, on a connection of its own if need be. */
  courier: (over?: Database) => Courier;
  clock: TestClock;
  post: (draft?: Partial<MailDraft>) => Promise<string>;
}

export async function postOffice(db: Database, smtpUrl: string | null): Promise<PostOffice> {
  const clock = testClock();
  const store = await KeyStore.open({ db, key: 'a'.repeat(64), keyFile: join(inject('folder'), 'no-key') });
  const keys = await store.ring('mail');
  const transportTo = (url: string): MailTransport => {
    const transport = smtpTransport(url);
    afterwards(() => {
      transport.close();
    });
    return transport;
  };
  const transport = smtpUrl === null ? null : transportTo(smtpUrl);
  const audit = new AuditService({ db, clock, node: 'test' });
  const mail = new MailService({
    db,
    clock,
    keys,
    renderer,
    audit,
    site,
    transport,
    from: 'desk@example.org',
  });
  const draft: MailDraft = {
    to: { email: 'jo@example.org', name: 'Jo Martin' },
    template: 'mail/reset',
    model: { link: `http://desk.example.org/reset/${secret}` },
    locale: 'en',
    kind: 'password-reset',
    reference: 'user:1',
  };
  return {
    mail,
    clock,
    courier: (over = db) =>
      new Courier({
        db: over,
        clock,
        log: silentLog(),
        keys,
        mail,
        site,
        transport: transportTo(smtpUrl ?? ''),
        limits: { idleMs: 50 },
      }),
    post: (changes = {}) => db.transaction((tx) => mail.queue(tx, { ...draft, ...changes })),
  };
}
