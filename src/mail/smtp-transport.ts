import { createTransport } from 'nodemailer';
import type { MailContent } from './mail.ts';

export interface OutgoingMail extends MailContent {
  messageId: string;
  from: { name: string; address: string };
}

/** The way out, as far as the queue knows it. */
export interface MailTransport {
  /** Resolves with what the server answered once it has taken the message. */
  send(mail: OutgoingMail): Promise<string>;
  close(): void;
}

const CONNECT_MS = 10_000;
const SILENCE_MS = 30_000;

/** One SMTP server, `smtp://user:password@host:587` or `smtps://…`, over a few connections that are kept. */
export function smtpTransport(url: string): MailTransport {
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: 2,
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    send: async ({ from, to, messageId, replyTo, ...content }) => {
      const { response } = await transport.sendMail({
        ...content,
        from,
        to: { name: to.name ?? '', address: to.email },
        messageId,
        ...(replyTo === undefined ? {} : { replyTo }),
        // RFC 3834: no out-of-office answer, no loop.
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
      });
      return response;
    },
    close: () => {
      transport.close();
    },
  };
}

/** The server understood and will never take this message: there is nothing to wait for. */
export const isFinal = (error: unknown): boolean => {
  const code = responseCodeOf(error);
  const isAboutTheLogin = error instanceof Error && 'code' in error && error.code === 'EAUTH';
  return code !== null && code >= 500 && !isAboutTheLogin;
};

/** The server's own words, where it said any. */
export const replyOf = (error: unknown): string | null =>
  error instanceof Error && 'response' in error && typeof error.response === 'string' ? error.response : null;

const responseCodeOf = (error: unknown): number | null =>
  error instanceof Error && 'responseCode' in error && typeof error.responseCode === 'number'
    ? error.responseCode
    : null;
