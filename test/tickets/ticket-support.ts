import { FormData } from 'undici';
import { ROOT_ENTITY_ID } from '../../src/identity/index.ts';
import { system } from '../../src/shared/actor.ts';
import type { Person } from '../support/given.ts';
import { formsIn, type Answer, type HttpClient } from '../support/http-client.ts';
import type { TestApp } from '../support/test-app.ts';

/** What a page says beside its frame. */
export const mainOf = (html: string): string => /<main.*<\/main>/s.exec(html)?.[0] ?? html;

/** One pixel-sized picture of each kind that is shown in the page. */
export const picture = {
  'image/png': {
    bytes: Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAIAAAADCAIAAAA2iEnWAAAAEklEQVR4nGP4z8AARAwQCkwBAB/uAv7kPz0UAAAAAElFTkSuQmCC',
      'base64',
    ),
    width: 2,
    height: 3,
  },
  'image/gif': {
    bytes: Buffer.from('R0lGODlhAgADAIAAAP///wAAACH5BAAAAAAALAAAAAACAAMAAAIChF8AOw==', 'base64'),
    width: 2,
    height: 3,
  },
  'image/jpeg': {
    bytes: Buffer.concat([
      Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex'),
      Buffer.from('ffc0000b08000300020101110000', 'hex'),
      Buffer.from('ffd9', 'hex'),
    ]),
    width: 2,
    height: 3,
  },
  'image/webp': {
    bytes: Buffer.concat([
      Buffer.from('RIFF\x1a\0\0\0WEBPVP8X\x0a\0\0\0', 'latin1'),
      Buffer.from([0, 0, 0, 0, 1, 0, 0, 2, 0, 0]),
    ]),
    width: 2,
    height: 3,
  },
} as const;

export interface FileDraft {
  name: string;
  content: Buffer | string;
  type?: string;
}

/** Fills a form of `page` that takes files, as a browser would. */
export async function submitWithFiles(
  browser: HttpClient,
  page: string,
  { action, values, files }: { action: string; values: Record<string, string>; files: readonly FileDraft[] },
): Promise<Answer> {
  const shown = await browser.get(page);
  const form = formsIn(shown.text).find((one) => one.method === 'post' && one.action.startsWith(action));
  if (!form) throw new Error(`No form to ${action} on ${page} (${String(shown.status)})`);
  const body = new FormData();
  for (const [name, value] of Object.entries({ ...form.fields, ...values })) {
    for (const one of [value].flat()) body.append(name, one);
  }
  for (const { name, content, type } of files) {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    body.append('files', new File([new Uint8Array(bytes)], name, { type: type ?? '' }), name);
  }
  return browser.upload(form.action, body);
}

/** The paths of the attachments that a page links to. */
export const attachmentsOn = (html: string): string[] => [
  ...new Set([...html.matchAll(/href="(\/attachments\/[^"]+)"/g)].map(([, path = '']) => path)),
];

/** An entity below the top. */
export async function givenEntity({ house }: TestApp, name: string): Promise<string> {
  const { id } = await house.domains.entityAdmin.create(system, { name, parentId: ROOT_ENTITY_ID });
  return id;
}

/** A ticket as the API tells it. */
export interface ApiTicket {
  id: string;
  number: number;
  status: string;
  version: number;
  priority: number;
  urgency: number;
  title: string;
  requesterId: string;
  followsId: string | null;
  assignees: { users: string[]; groups: string[] };
  observers: string[];
}

export async function ticketAs(app: TestApp, person: Person, number: number): Promise<ApiTicket> {
  const answer = await app.api(person).call('GET', `/api/v1/tickets/${String(number)}`);
  if (answer.status !== 200) throw new Error(`Expected 200, got ${String(answer.status)}: ${answer.text}`);
  return answer.json() as ApiTicket;
}
