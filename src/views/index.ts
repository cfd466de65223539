export { AssetStore, type Asset, type Encoding } from './assets.ts';
export { formatDistance, formatNumber, formatTime } from './dates.ts';
export { I18n, LANGUAGES, isLanguage, languageOf, type Language, type Texts } from './i18n.ts';
export { KeptPages } from './kept-pages.ts';
export { renderMarkdown } from './markdown.ts';
export { Menu, emptyMenu, type MenuEntry, type MenuItem, type VisibleMenu } from './menu.ts';
export type { PageContext, PageFlash, ResolvedSlots, Theme } from './page-context.ts';
export { Renderer, type MailContext, type RenderedMail } from './renderer.ts';
export { Slots, type SlotFault, type SlotListener, type WantedSlots } from './slots.ts';
