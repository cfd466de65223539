import { Agent, request, type Dispatcher, type FormData } from 'undici';

export type FormValues = Record<string, string | number | boolean | readonly string[] | undefined>;

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  /** Where the page is now, after redirects that were followed. */
  url: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the expectations judge what an API answers
  json(): any;
}

interface Sending {
  method: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  headers?: Record<string, string>;
  body?: string | Uint8Array | FormData;
}

interface ClientOptions {
  prepare?: (client: HttpClient) => Promise<void>;
  connections?: number;
}

const MOST_REDIRECTS = 5;
const nothing = (): Promise<void> => Promise.resolve();

/**
 * A person's browser without its screen: cookies, forms with the hidden fields the page came with, redirects.
 * It sends what Chromium sends with a form (`Origin`, `Sec-Fetch-Site`).
 */
export class HttpClient {
  readonly origin: string;
  readonly cookies = new Map<string, string>();
  /** Sent with every request: a bearer token, say. */
  readonly headers = new Map<string, string>();
  readonly #agent: Dispatcher;
  readonly #prepare: (client: HttpClient) => Promise<void>;
  #isPrepared: Promise<void> | null = null;

  /** `prepare` runs before the first request: it gives the client its session or its token. */
  constructor(origin: string, { prepare = nothing, connections = 4 }: ClientOptions = {}) {
    this.origin = origin;
    this.#prepare = prepare;
    this.#agent = new Agent({ connections });
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  /** One request; redirects are not followed. */
  async send(path: string, { method, headers, body }: Sending): Promise<Answer> {
    await (this.#isPrepared ??= this.#prepare(this));
    const url = new URL(path, this.origin);
    const response = await request(url, {
      method,
      dispatcher: this.#agent,
      headers: { ...this.#ownHeaders(), ...headers },
      ...(body === undefined ? {} : { body }),
    });
    this.#keepCookies(response.headers['set-cookie']);
    const text = await response.body.text();
    return {
      status: response.statusCode,
      headers: response.headers,
      text,
      url: url.href,
      json: () => JSON.parse(text),
    };
  }

  /** A page, wherever it redirects to. */
  async get(path: string): Promise<Answer> {
    return this.#follow(await this.send(path, { method: 'GET' }));
  }

  /** A form as a browser sends it; the answer is what came back, before any redirect. */
  async post(path: string, values: FormValues): Promise<Answer> {
    return this.send(path, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...this.#sameOrigin() },
      body: encodeForm(values).toString(),
    });
  }

  /**
   * Opens `page`, fills its form (the one that posts to `action`, else the first that posts) and sends it with all its hidden fields.
   * The answer is the page that is shown in the end.
   */
  async submit(page: string, values: FormValues, options: { action?: string } = {}): Promise<Answer> {
    const shown = await this.get(page);
    return this.submitShown(shown, values, options);
  }

  /** As `submit`, on a page that is open already. */
  async submitShown(
    shown: Answer,
    values: FormValues,
    { action }: { action?: string } = {},
  ): Promise<Answer> {
    const forms = formsIn(shown.text).filter(({ method }) => method === 'post');
    const form =
      action === undefined
        ? forms[0]
        : (forms.find((candidate) => candidate.action === action) ??
          forms.find((candidate) => candidate.action.startsWith(action)));
    if (!form)
      throw new Error(
        `No form${action === undefined ? '' : ` to ${action}`} on ${shown.url} (${String(shown.status)})`,
      );
    const target = new URL(form.action === '' ? shown.url : form.action, shown.url);
    return this.#follow(await this.post(`${target.pathname}${target.search}`, { ...form.fields, ...values }));
  }

  /** JSON, as a program sends it to `/api/v1`. */
  async call(method: Sending['method'], path: string, body?: unknown): Promise<Answer> {
    return this.send(path, {
      method,
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async upload(path: string, form: FormData): Promise<Answer> {
    return this.send(path, { method: 'POST', headers: this.#sameOrigin(), body: form });
  }

  async #follow(first: Answer): Promise<Answer> {
    let answer = first;
    for (let hops = 0; hops < MOST_REDIRECTS && isRedirect(answer); hops += 1) {
      const next = new URL(String(answer.headers['location']), answer.url);
      answer = await this.send(`${next.pathname}${next.search}`, { method: 'GET' });
    }
    return answer;
  }

  #ownHeaders(): Record<string, string> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    return {
      ...(cookie === '' ? {} : { cookie }),
      ...Object.fromEntries(this.headers),
    };
  }

  #sameOrigin(): Record<string, string> {
    return { origin: this.origin, 'sec-fetch-site': 'same-origin' };
  }

  #keepCookies(header: string | string[] | undefined): void {
    for (const line of [header ?? []].flat()) {
      const [pair = '', ...attributes] = line.split(';');
      const name = pair.slice(0, pair.indexOf('=')).trim();
      const isGone = attributes.some((attribute) =>
        /^\s*(max-age=0|expires=thu, 01 jan 1970)/i.test(attribute),
      );
      if (isGone) this.cookies.delete(name);
      else this.cookies.set(name, pair.slice(pair.indexOf('=') + 1));
    }
  }
}

interface Form {
  method: string;
  action: string;
  /** What a browser would send if nobody touched anything. */
  fields: Record<string, string | string[]>;
}

/** Enough of HTML to read our own forms: attributes are always quoted there. */
export function formsIn(html: string): Form[] {
  return [...html.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gs)].map(([, attributes = '', content = '']) => ({
    method: (attribute(attributes, 'method') ?? 'get').toLowerCase(),
    action: attribute(attributes, 'action') ?? '',
    fields: fieldsIn(content),
  }));
}

function fieldsIn(content: string): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = {};
  const add = (name: string | null, value: string): void => {
    if (name === null) return;
    const before = fields[name];
    fields[name] = before === undefined ? value : [before, value].flat();
  };
  for (const [, input = ''] of content.matchAll(/<input\b([^>]*)>/gs)) {
    const type = attribute(input, 'type') ?? 'text';
    if (['submit', 'button', 'file', 'reset'].includes(type) || /\sdisabled\b/.test(input)) continue;
    if (['checkbox', 'radio'].includes(type) && !/\schecked\b/.test(input)) continue;
    add(attribute(input, 'name'), attribute(input, 'value') ?? (type === 'checkbox' ? 'on' : ''));
  }
  for (const [, area = '', value = ''] of content.matchAll(/<textarea\b([^>]*)>(.*?)<\/textarea>/gs)) {
    add(attribute(area, 'name'), unescapeHtml(value));
  }
  for (const [, select = '', options = ''] of content.matchAll(/<select\b([^>]*)>(.*?)<\/select>/gs)) {
    const all = [...options.matchAll(/<option\b([^>]*)>/gs)].map(([, option = '']) => option);
    const chosen = all.find((option) => /\sselected\b/.test(option)) ?? all[0];
    if (chosen !== undefined) add(attribute(select, 'name'), attribute(chosen, 'value') ?? '');
  }
  return fields;
}

function attribute(tag: string, name: string): string | null {
  const value = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`, 'i').exec(tag);
  return value ? unescapeHtml(value[1] ?? value[2] ?? '') : null;
}

const entities: Record<string, string> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#x27;': "'",
  '&#x3D;': '=',
  '&#x60;': '`',
  '&#39;': "'",
};

/** The escapes that Handlebars writes. */
export const unescapeHtml = (html: string): string =>
  html.replace(/&(?:amp|lt|gt|quot|#x27|#x3D|#x60|#39);/g, (entity) => entities[entity] ?? entity);

function encodeForm(values: FormValues): URLSearchParams {
  const encoded = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === false) continue;
    if (typeof value === 'object') for (const one of value) encoded.append(name, one);
    else encoded.append(name, value === true ? 'on' : String(value));
  }
  return encoded;
}

const isRedirect = ({ status, headers }: Answer): boolean =>
  status >= 301 && status <= 308 && headers['location'] !== undefined;
