import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer } from 'smtp-server';
import { afterwards } from './cleanup.ts';

const ARRIVES_WITHIN_MS = 10_000;

export interface Letter {
  to: string[];
  from: string;
  subject: string;
  text: string;
  html: string;
  /** Every link in the text, in order. */
  links: string[];
  headers: ReadonlyMap<string, string>;
}

export interface Mailbox {
  /** For LATCHKEY_SMTP_URL. */
  readonly url: string;
  /** Everything that arrived, oldest first. */
  readonly letters: readonly Letter[];
  /**
   * The oldest letter to this address that was not handed out yet; waits for it. Core writes letters too (a technician hears of every
   * new ticket): `{ subject: 'is due' }` asks for one whose subject has these words, or fits the pattern.
   */
  next(to: string, about?: { subject?: string | RegExp }): Promise<Letter>;
  /** Refuses everything from now on, as a full or broken server does; false mends it. */
  refuse(refusing: boolean): void;
}

/** A real SMTP server on a loopback port, and what it was brought. */
export async function startMailbox(): Promise<Mailbox> {
  const unread: Letter[] = [];
  const letters: Letter[] = [];
  const arrivals = new EventTarget();
  let isRefusing = false;
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo: (_address, _session, done) => {
      done(isRefusing ? Object.assign(new Error('Mailbox full'), { responseCode: 452 }) : null);
    },
    onData: (stream, session, done) => {
      readLetter(
        stream,
        session.envelope.rcptTo.map(({ address }) => address),
      ).then((letter) => {
        letters.push(letter);
        unread.push(letter);
        done();
        arrivals.dispatchEvent(new Event('letter'));
      }, done);
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  afterwards(
    () =>
      new Promise((resolve) => {
        server.close(resolve);
      }),
  );

  const { port } = server.server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${String(port)}`,
    letters,
    refuse: (refusing) => {
      isRefusing = refusing;
    },
    next: async (to, { subject = '' } = {}) => {
      const signal = AbortSignal.timeout(ARRIVES_WITHIN_MS);
      const isIt = (letter: Letter): boolean => letter.to.includes(to) && isAbout(letter, subject);
      for (;;) {
        const at = unread.findIndex(isIt);
        if (at >= 0) return unread.splice(at, 1)[0] as Letter;
        await arrival(arrivals, signal, () => new Error(`No mail for ${to} arrived${besides(unread)}`));
      }
    },
  };
}

const isAbout = ({ subject }: Letter, wanted: string | RegExp): boolean =>
  typeof wanted === 'string' ? subject.includes(wanted) : wanted.test(subject);

const besides = (unread: readonly Letter[]): string =>
  unread.length === 0
    ? ''
    : `; unread are ${unread.map(({ to, subject }) => `"${subject}" to ${to.join(', ')}`).join('; ')}`;

async function arrival(arrivals: EventTarget, signal: AbortSignal, problem: () => Error): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    arrivals.addEventListener(
      'letter',
      () => {
        resolve();
      },
      { once: true, signal },
    );
    signal.addEventListener(
      'abort',
      () => {
        reject(problem());
      },
      { once: true },
    );
  });
}

async function readLetter(stream: NodeJS.ReadableStream, to: string[]): Promise<Letter> {
  const email = await PostalMime.parse(await text(stream));
  return {
    to,
    from: email.from?.address ?? '',
    subject: email.subject ?? '',
    text: email.text ?? '',
    html: email.html ?? '',
    links: (email.text ?? '').match(/https?:\/\/[^\s<>")\]]+/g) ?? [],
    headers: headersOf(email),
  };
}

const headersOf = ({ headers }: Email): ReadonlyMap<string, string> =>
  new Map(headers.map(({ key, value }) => [key, value]));
