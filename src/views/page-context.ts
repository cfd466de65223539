import type { VisibleMenu } from './menu.ts';
import type { Brand } from './page-hooks.ts';

export type Theme = 'auto' | 'light' | 'dark';

export interface PageFlash {
  kind: 'success' | 'info' | 'warning' | 'danger';
  /** An i18n key and its parameters. */
  code: string;
  params?: Record<string, string | number>;
  undo?: { action: string; label: string };
}

/** What every template may read as `@page`: the visitor, the house, this request. */
export interface PageContext {
  locale: string;
  /** IANA name: times are shown in it. */
  timeZone: string;
  /** For `<script nonce>`. */
  nonce: string;
  csrf: string;
  theme: Theme;
  actor: { kind: string; userId: string | null; name: string };
  organisation: { name: string } & Brand;
  menu: VisibleMenu;
  flash: PageFlash | null;
  path: string;
  url: string;
  /** Notifications not read yet. */
  unread: number;
  /** Scheme and host for links that leave the page. */
  origin: string;
  /** Only the inside of the layout is wanted (htmx). */
  fragment: boolean;
}

/** HTML by slot, ready when the page is rendered. */
export type ResolvedSlots = Readonly<Record<string, string>>;
