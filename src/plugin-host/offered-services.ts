import type { Undo } from '../hooks/tokens.ts';

declare const offers: unique symbol;

/** Something that one plugin does for others, known by its name alone: `calendar/hours@1`. */
export interface ServiceToken<T extends object> {
  readonly name: string;
  readonly [offers]?: T;
}

const SERVICE_NAME = /^([a-z][a-z0-9]*(?:-[a-z0-9]+)*)\/([a-z][a-z0-9-]*)@([1-9]\d*)$/;

export const defineService = <T extends object>(name: string): ServiceToken<T> => {
  if (!SERVICE_NAME.test(name))
    throw new Error(`A service is called <plugin id>/<name>@<version>, as calendar/hours@1; not "${name}"`);
  return { name };
};

/** `calendar` of `calendar/hours@1`. */
export const providerOf = (name: string): string => SERVICE_NAME.exec(name)?.[1] ?? '';

/** What plugins do for each other, while they run. */
export class OfferedServices {
  readonly #offers = new Map<string, object>();

  add(name: string, service: object): Undo {
    if (this.#offers.has(name)) throw new Error(`The service ${name} is offered already`);
    this.#offers.set(name, service);
    return () => {
      if (this.#offers.get(name) === service) this.#offers.delete(name);
    };
  }

  find(name: string): object | undefined {
    return this.#offers.get(name);
  }

  /** The same service by other versions, for the message. */
  versionsOf(name: string): string[] {
    const [stem = ''] = name.split('@');
    return [...this.#offers.keys()].filter((offered) => offered.startsWith(`${stem}@`));
  }
}
