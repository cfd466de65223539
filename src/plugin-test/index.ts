/**
 * For the tests of a plugin: `import { createTestHost } from 'latchkey/plugin-test'`. The real helpdesk, on a database of its own;
 * only the clock and the mail server are made up.
 */
export { afterwards } from './cleanup.ts';
export { days, hours, minutes, testClock, type TestClock } from './clock.ts';
export type { Given, Person, PersonDraft, TicketDraft } from './given.ts';
export { OWNER } from './house.ts';
export type { Answer, FormValues, HttpClient } from './http-client.ts';
export type { Letter, Mailbox } from './mailbox.ts';
export { createTestHost, type TestHost, type TestHostOptions, type TestNode } from './test-host.ts';
