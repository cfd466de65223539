import { UnavailableError } from '../shared/errors.ts';
import type { Host } from './host.ts';
import type { Manifest } from './manifest.ts';
import { providerOf, type OfferedServices, type ServiceToken } from './offered-services.ts';
import type { Charging } from './charging.ts';
import type { Scope } from './scope.ts';

interface Parts {
  manifest: Manifest;
  scope: Scope;
  offered: OfferedServices;
  /** Puts a call on the account of whoever answers it. */
  chargeTo: (plugin: string) => Charging;
}

/** What a plugin does for others, and what it has others do. */
export function sharedServices(parts: Parts): Pick<Host, 'provide' | 'use' | 'isOffered'> {
  const { manifest, scope, offered } = parts;
  return {
    provide: ({ name }, service) => {
      if (providerOf(name) !== manifest.id)
        throw new Error(`${manifest.id} cannot offer ${name}: its services begin with "${manifest.id}/"`);
      scope.register(() => offered.add(name, service));
    },
    use: (token) => {
      assertNamed(manifest, providerOf(token.name));
      return answeredLater(token, parts);
    },
    isOffered: ({ name }) => offered.find(name) !== undefined,
  };
}

/** Looked up at every call, so that its provider may be disabled, updated and enabled again meanwhile. */
function answeredLater<T extends object>({ name }: ServiceToken<T>, parts: Parts): T {
  const { manifest, scope, offered, chargeTo } = parts;
  const charge = chargeTo(providerOf(name));
  return new Proxy({} as T, {
    get: (_, property) => {
      // Whoever awaits the service itself does not mean a method of it.
      if (property === 'then' || typeof property === 'symbol') return undefined;
      return (...args: unknown[]): unknown => {
        scope.assertAlive();
        const service = offered.find(name);
        if (!service) throw missing(name, manifest, offered);
        const method: unknown = Reflect.get(service, property, service);
        if (typeof method !== 'function') throw new TypeError(`${name} has no ${property}()`);
        const call = (): Promise<unknown> => Promise.resolve(Reflect.apply(method, service, args) as unknown);
        return charge('service', `${name} ${property}`, call);
      };
    },
  });
}

function assertNamed({ id, dependencies }: Manifest, provider: string): void {
  if (provider in { ...dependencies.requires, ...dependencies.optional }) return;
  throw new Error(
    `"${provider}" does not stand under "dependencies" in plugin.json of ${id}, which uses a service of it`,
  );
}

function missing(service: string, { id }: Manifest, offered: OfferedServices): UnavailableError {
  const others = offered.versionsOf(service);
  return others.length > 0
    ? new UnavailableError('plugin.service-version', {
        params: { service, plugin: id, offered: others.join(', ') },
      })
    : new UnavailableError('plugin.service-missing', { params: { service, plugin: id } });
}
