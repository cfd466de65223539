import { ConflictError, ForbiddenError, newId, type Actor, type Brand, type Host } from 'latchkey/plugin-api';
import { findLook, findStamp, keepLook, type KeptLook } from './brand-repository.ts';
import { lettersOn } from './colour.ts';

export interface LookDraft {
  light: string | null;
  dark: string | null;
  /** Null takes the logo away; undefined leaves it. */
  logo: { content: Buffer; mediaType: string } | null | undefined;
  version: number;
}

/** How the house looks, from memory: every page asks. Other servers see a change within seconds. */
export class BrandService {
  readonly #host: Host;
  #look: KeptLook | null = null;
  #brand: Brand = {};

  constructor(host: Host) {
    this.#host = host;
  }

  get brand(): Brand {
    return this.#brand;
  }

  get look(): KeptLook | null {
    return this.#look;
  }

  async change(actor: Actor, { light, dark, logo, version }: LookDraft): Promise<void> {
    if (!actor.can('branding.manage')) throw new ForbiddenError('branding.not-allowed');
    const { db, clock, audit } = this.#host;
    const before = await findLook(db);
    const kept = logo === undefined ? before : logo && { logo: logo.content, logoType: logo.mediaType };
    const look = {
      stamp: newId(),
      light,
      dark,
      logo: kept?.logo ?? null,
      logoType: kept?.logoType ?? null,
    };
    await this.#host.transaction(async (tx) => {
      if (!(await keepLook(tx, look, { seen: version, now: clock.now() })))
        throw new ConflictError('branding.changed');
      const subject = { type: 'brand', id: 'house', label: 'branding' };
      const after = { light, dark, logo: look.logoType };
      await audit.record(tx, actor, { action: 'branding.changed', subject, after });
    });
    await this.lookAgain();
  }

  async lookAgain(): Promise<void> {
    const stamp = await findStamp(this.#host.db);
    if (stamp === (this.#look?.stamp ?? null)) return;
    this.#look = await findLook(this.#host.db);
    this.#brand = this.#look ? brandOf(this.#look) : {};
  }
}

function brandOf({ stamp, light, dark, logoType }: KeptLook): Brand {
  const hasColours = light !== null && dark !== null;
  return {
    ...(logoType === null ? {} : { logo: `/p/branding/logo/${stamp}` }),
    ...(hasColours
      ? {
          stylesheet: `/p/branding/style/${stamp}.css`,
          accent: { light, onLight: lettersOn(light), dark, onDark: lettersOn(dark) },
        }
      : {}),
  };
}

/** Only what theme.css calls the accent; all the rest follows from it. */
export const styleSheetOf = ({ light, onLight, dark, onDark }: NonNullable<Brand['accent']>): string =>
  `:root {\n  --lk-accent: light-dark(${light}, ${dark});\n  --lk-on-accent: light-dark(${onLight}, ${onDark});\n}\n`;
