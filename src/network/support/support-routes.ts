import { z } from 'zod';
import { file, redirect, view, type Reply } from '../../http/reply.ts';
import { route, type Incoming, type Route } from '../../http/route.ts';
import type { Actor } from '../../shared/actor.ts';
import type { KnownError } from '../../shared/errors.ts';
import { isId } from '../../shared/ids.ts';
import { sizeInWords } from '../../shared/size-in-words.ts';
import { presentRow, presentThread, SUPPORT_PATH } from './support-presenter.ts';
import type { SupportService } from './support-service.ts';
import { LONGEST_TITLE, MOST_BYTES, MOST_FILES, MOST_WORDS } from './support.ts';

interface Deps {
  support: SupportService;
  /** A ticket of this house, as far as this actor may read it. */
  ticketOf: (actor: Actor, number: number) => Promise<{ title: string; description: string }>;
  /** Plugins that a question can be about. */
  plugins: (locale: string) => Promise<{ id: string; name: string }[]>;
}

const access = { right: 'network.support' };
const params = z.object({ id: z.string().refine(isId).catch('') });
const ticketNumber = z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
const newQuery = z.object({
  plugin: z.string().max(48).catch(''),
  ticket: ticketNumber.nullable().catch(null),
});
const words = z.string().trim().max(MOST_WORDS, 'field.too-long').min(1, 'support.words-needed');
/** Ids of files that an earlier try has left here: one, several or none. */
const kept = z
  .union([
    z.array(z.string().max(40)).max(MOST_FILES),
    z
      .string()
      .max(40)
      .transform((id) => [id]),
  ])
  .catch([]);
const openForm = z.object({
  attachments: kept,
  title: z.string().trim().min(1, 'support.title-needed').max(LONGEST_TITLE, 'field.too-long'),
  body: words,
  plugin: z
    .string()
    .max(48)
    .default('')
    .transform((id) => (id === '' ? null : id)),
  ticket: ticketNumber.nullable().catch(null),
  withDiagnostics: z.string().optional(),
  diagnostics: z.string().max(MOST_WORDS, 'field.too-long').default(''),
});
const replyForm = z.object({ attachments: kept, body: words });
const typed = z.object({
  attachments: kept,
  title: z.string().catch(''),
  body: z.string().catch(''),
  plugin: z.string().catch(''),
  ticket: ticketNumber.nullable().catch(null),
  withDiagnostics: z.string().optional().catch(undefined),
  diagnostics: z.string().optional().catch(undefined),
});
const MOST_ROWS = 40;
const caps = { most: MOST_FILES, megabytes: MOST_BYTES / 1024 / 1024 };

/** Where people ask the vendor, see how far it has come, and read the answers. */
export function supportRoutes({ support, ticketOf, plugins }: Deps): Route[] {
  /** What a question about a plugin or a ticket begins with; whoever asks may change all of it. */
  const beginning = async (actor: Actor, { plugin, ticket }: z.output<typeof newQuery>): Promise<object> => {
    if (ticket === null) return { plugin };
    const { title, description: body } = await ticketOf(actor, ticket);
    return { plugin, ticket, title, body };
  };

  const newPage = async (
    { actor, locale, query }: Pick<Incoming, 'actor' | 'locale' | 'query'>,
    refused: { body?: unknown; error?: KnownError } = {},
  ): Promise<Reply> => {
    const { refusal, hub } = await support.list(actor);
    const isAgain = refused.error !== undefined;
    const form = typed.parse(refused.body ?? (await beginning(actor, newQuery.parse(query))));
    const diagnostics = form.diagnostics ?? (await support.diagnostics(actor));
    return view('network/support-new', {
      refusal,
      hub: URL.parse(hub)?.host ?? '',
      portal: `${hub}/network`,
      form: {
        ...form,
        withDiagnostics: !isAgain || form.withDiagnostics !== undefined,
        diagnostics,
      },
      // All of it is seen without scrolling.
      rows: Math.min(MOST_ROWS, rowsOf(diagnostics)),
      drafts: await draftsOf(actor, form.attachments),
      plugins: (await plugins(locale)).map(({ id, name }) => ({ value: id, label: name })),
      ...problemsOf(refused.error),
      ...caps,
    });
  };

  const threadPage = async (
    { actor, params: { id } }: Pick<Incoming<{ id: string }>, 'actor' | 'params'>,
    refused: { body?: unknown; error?: KnownError } = {},
  ): Promise<Reply> => {
    const { body, attachments } = typed.parse(refused.body ?? {});
    return view('network/support', {
      ...presentThread(await support.read(actor, id)),
      body,
      drafts: await draftsOf(actor, attachments),
      ...problemsOf(refused.error),
      ...caps,
    });
  };

  const draftsOf = async (actor: Actor, ids: readonly string[]): Promise<object[]> =>
    (await support.drafts(actor, ids)).map(({ size, ...draft }) => ({ ...draft, size: sizeInWords(size) }));

  /** What was typed, and the files that came with it. */
  const keptOf = async ({
    actor,
    body,
    files,
  }: Pick<Incoming, 'actor' | 'body' | 'files'>): Promise<object> => {
    const was = typed.parse(body ?? {});
    return {
      ...was,
      attachments: await support.keepFiles(actor, { uploads: files, drafts: was.attachments }),
    };
  };

  const shownAgain = async (incoming: Incoming<{ id: string }>, error: KnownError): Promise<Reply> => {
    if (error.kind === 'not-found' || error.kind === 'forbidden') throw error;
    const body = await keptOf(incoming);
    return threadPage({ ...incoming, params: params.parse(incoming.params) }, { body, error });
  };

  return [
    route({
      method: 'get',
      path: SUPPORT_PATH,
      access,
      handler: async ({ actor }) => {
        const { requests, refusal, hub } = await support.list(actor);
        return view('network/support-list', {
          requests: requests.map(presentRow),
          refusal,
          portal: `${hub}/network`,
        });
      },
    }),
    route({
      method: 'get',
      path: `${SUPPORT_PATH}/new`,
      access,
      query: newQuery,
      handler: (incoming) => newPage(incoming),
    }),
    route({
      method: 'post',
      path: SUPPORT_PATH,
      access,
      uploads: true,
      body: openForm,
      onRefused: async (incoming, error) => {
        if (error.kind === 'forbidden') throw error;
        return newPage(incoming, { body: await keptOf(incoming), error });
      },
      handler: async ({ actor, body, files: uploads }) => {
        const { withDiagnostics, diagnostics, attachments: drafts, ...draft } = body;
        const shown = withDiagnostics === undefined ? '' : diagnostics;
        const { id } = await support.open(actor, { ...draft, diagnostics: shown }, { uploads, drafts });
        return redirect(`${SUPPORT_PATH}/${id}`, {
          flash: { kind: 'success', code: 'support:flash.opened' },
        });
      },
    }),
    route({
      method: 'get',
      path: `${SUPPORT_PATH}/files/:id`,
      access,
      params,
      handler: async ({ actor, params: { id } }) => {
        const { file: kept, content } = await support.openFile(actor, id);
        const { name, size } = kept;
        return file(content, { name, size, mediaType: 'application/octet-stream' });
      },
    }),
    route({
      method: 'get',
      path: `${SUPPORT_PATH}/:id`,
      access,
      params,
      handler: (incoming) => threadPage(incoming),
    }),
    route({
      method: 'post',
      path: `${SUPPORT_PATH}/:id/messages`,
      access,
      params,
      uploads: true,
      body: replyForm,
      onRefused: shownAgain,
      handler: async ({ actor, params: { id }, body, files: uploads }) => {
        await support.reply(actor, id, body.body, { uploads, drafts: body.attachments });
        return redirect(`${SUPPORT_PATH}/${id}`, { flash: { kind: 'success', code: 'support:flash.said' } });
      },
    }),
    route({
      method: 'post',
      path: `${SUPPORT_PATH}/:id/accept`,
      access,
      params,
      onRefused: shownAgain,
      handler: async ({ actor, params: { id } }) => {
        await support.accept(actor, id);
        return redirect(`${SUPPORT_PATH}/${id}`, {
          flash: { kind: 'success', code: 'support:flash.accepted' },
        });
      },
    }),
    route({
      method: 'post',
      path: `${SUPPORT_PATH}/:id/look`,
      access,
      params,
      onRefused: shownAgain,
      handler: async ({ actor, params: { id } }) => {
        await support.lookSoon(actor, id);
        return redirect(`${SUPPORT_PATH}/${id}`, { flash: { kind: 'info', code: 'support:flash.looking' } });
      },
    }),
  ];
}

/** On a phone, where lines are short. */
const rowsOf = (text: string): number =>
  text.split('\n').reduce((rows, line) => rows + Math.max(1, Math.ceil(line.length / 34)), 1);

const problemsOf = (error: KnownError | undefined): object => ({
  errors: error?.fields ?? [],
  message: error && error.fields.length === 0 ? { code: error.code, params: error.params } : undefined,
});
