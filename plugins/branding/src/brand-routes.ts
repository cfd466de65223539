import {
  file,
  InvalidInputError,
  NotFoundError,
  redirect,
  route,
  text,
  view,
  z,
  type FieldProblem,
  type Reply,
  type Route,
  type UploadedFile,
} from 'latchkey/plugin-api';
import { styleSheetOf, type BrandService, type LookDraft } from './brand-service.ts';
import { contrastOn, LEAST_CONTRAST, readable } from './colour.ts';

const MOST_BYTES = 200 * 1024;
const PICTURES = ['image/png', 'image/jpeg', 'image/webp'];
const access = { right: 'branding.manage' } as const;
const usual = { light: '#0e6f6b', dark: '#57d1c4' } as const;

const hex = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^#[0-9a-f]{6}$/);
const form = z.object({
  colours: z.enum(['usual', 'own']).catch('usual'),
  light: hex.catch(usual.light),
  dark: hex.catch(usual.dark),
  removeLogo: z.string().optional(),
  version: z.coerce.number().int().min(0),
});
const stampParams = z.object({ stamp: z.string().max(40) });
/** Its address changes with it. */
const forGood = { headers: { 'Cache-Control': 'public, max-age=31536000, immutable' } };

/** Choosing logo and colours, and handing them to browsers. */
export function brandRoutes(brands: BrandService): Route[] {
  return [
    route({
      method: 'get',
      path: '/p/branding',
      access,
      handler: async () => {
        await brands.lookAgain();
        return page(brands);
      },
    }),
    route({
      method: 'post',
      path: '/p/branding',
      access,
      uploads: true,
      body: form,
      handler: async ({ actor, body, files }) => {
        await brands.change(actor, {
          ...coloursFrom(body),
          logo: body.removeLogo === undefined ? await logoFrom(files) : null,
          version: body.version,
        });
        return redirect('/p/branding', { flash: { kind: 'success', code: 'branding:kept' } });
      },
      onRefused: async ({ body }, error) => {
        await brands.lookAgain();
        return page(brands, {
          body,
          errors: error.fields,
          message: error.fields.length === 0 ? error.code : null,
        });
      },
    }),
    route({
      method: 'get',
      path: '/p/branding/logo/:stamp',
      access: 'public',
      params: stampParams,
      handler: ({ params }) => {
        const { look } = brands;
        if (!look?.logo || look.logoType === null || look.stamp !== params.stamp)
          throw new NotFoundError('branding.no-logo');
        const facts = { name: 'logo', mediaType: look.logoType, inline: true, size: look.logo.length };
        return file(look.logo, facts, forGood);
      },
    }),
    route({
      method: 'get',
      path: '/p/branding/style/:stamp',
      access: 'public',
      params: stampParams,
      handler: ({ params }) => {
        const { look, brand } = brands;
        if (!brand.accent || `${look?.stamp ?? ''}.css` !== params.stamp)
          throw new NotFoundError('branding.no-style');
        return text(styleSheetOf(brand.accent), 'text/css; charset=utf-8', forGood);
      },
    }),
  ];
}

interface Refused {
  body: unknown;
  errors: readonly FieldProblem[];
  message: string | null;
}

function page({ look, brand }: BrandService, refused?: Refused): Reply {
  const typed = form.partial().safeParse(refused?.body ?? {}).data;
  const light = typed?.light ?? look?.light ?? usual.light;
  const dark = typed?.dark ?? look?.dark ?? usual.dark;
  const hasOwn =
    (refused ? typed?.colours : look?.light === undefined || look.light === null ? 'usual' : 'own') === 'own';
  return view('branding/page', {
    logo: brand.logo ?? null,
    version: look?.version ?? 0,
    colours: [
      { value: 'usual', key: 'branding:colours.usual', checked: !hasOwn },
      { value: 'own', key: 'branding:colours.own', checked: hasOwn },
    ],
    light: refused && typed?.light !== undefined ? typed.light : light,
    dark: refused && typed?.dark !== undefined ? typed.dark : dark,
    errors: refused?.errors ?? [],
    message: refused?.message ?? null,
  });
}

/** Both or none: an accent that cannot be read is refused, with a shade of it that can. */
function coloursFrom({ colours, light, dark }: z.output<typeof form>): Pick<LookDraft, 'light' | 'dark'> {
  if (colours === 'usual') return { light: null, dark: null };
  const chosen = { light, dark };
  const fields = (['light', 'dark'] as const)
    .filter((theme) => contrastOn(chosen[theme], theme) < LEAST_CONTRAST)
    .map((theme) => ({
      field: theme,
      code: 'branding.contrast',
      params: {
        ratio: contrastOn(chosen[theme], theme).toFixed(1),
        better: readable(chosen[theme], theme),
      },
    }));
  if (fields.length > 0) throw new InvalidInputError('branding.contrast', { fields });
  return chosen;
}

async function logoFrom(files: readonly UploadedFile[]): Promise<LookDraft['logo']> {
  const logo = files.find(({ field, size }) => field === 'logo' && size > 0);
  if (!logo) return undefined;
  const problem = !PICTURES.includes(logo.mediaType)
    ? 'branding.logo-type'
    : logo.size > MOST_BYTES
      ? 'branding.logo-size'
      : null;
  if (problem !== null) throw new InvalidInputError(problem, { fields: [{ field: 'logo', code: problem }] });
  return { content: await logo.read(), mediaType: logo.mediaType };
}
