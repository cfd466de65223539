import type { Readable } from 'node:stream';

export interface CookieChange {
  /** Without the instance's prefix, which the server adds. */
  name: string;
  /** Null deletes it. */
  value: string | null;
  /** Seconds; without it the cookie goes with the browser. */
  maxAge?: number;
}

/** Said once on the next page: `code` is an i18n key. */
export interface Flash {
  kind: 'success' | 'info' | 'warning' | 'danger';
  code: string;
  params?: Record<string, string | number>;
  /** An undo button: posts to `action`. */
  undo?: { action: string; label: string };
}

interface Extras {
  status?: number;
  headers?: Record<string, string>;
  cookies?: CookieChange[];
  flash?: Flash;
}

/** What a handler answers: data, so that it can be looked at in a test and sent by anything. */
export type Reply = Extras &
  (
    | { kind: 'view'; template: string; model: object; fresh?: Readonly<Record<string, string>> }
    | { kind: 'redirect'; to: string }
    | { kind: 'json'; body: unknown }
    | { kind: 'text'; text: string; mediaType: string }
    | {
        kind: 'file';
        content: Readable | Buffer;
        name: string;
        mediaType: string;
        inline?: boolean;
        size?: number;
      }
    | { kind: 'empty' }
  );

/** Renders `views/<template>.hbs` (a plugin's: `<plugin-id>/<template>`) in its layout. */
export const view = (
  template: string,
  model: object = {},
  extras: Extras & {
    /**
     * For a page that many open at once: as long as `model` is the very same object it is rendered once for them all, and
     * only these texts, which the template knows like those of the model, are put in for each.
     */
    fresh?: Readonly<Record<string, string>>;
  } = {},
): Reply => ({
  kind: 'view',
  template,
  model,
  ...extras,
});

/** 303: the browser GETs `to`, which is a path of ours. */
export const redirect = (to: string, extras: Extras = {}): Reply => ({
  kind: 'redirect',
  to,
  status: 303,
  ...extras,
});

export const json = (body: unknown, extras: Extras = {}): Reply => ({ kind: 'json', body, ...extras });

export const text = (
  content: string,
  mediaType = 'text/plain; charset=utf-8',
  extras: Extras = {},
): Reply => ({
  kind: 'text',
  text: content,
  mediaType,
  ...extras,
});

export const file = (
  content: Readable | Buffer,
  facts: { name: string; mediaType: string; inline?: boolean; size?: number },
  extras: Extras = {},
): Reply => ({ kind: 'file', content, ...facts, ...extras });

/** 204. */
export const empty = (extras: Extras = {}): Reply => ({ kind: 'empty', status: 204, ...extras });
