import { compose, type Latchkey } from '../compose.ts';
import { readConfig, type Config } from '../config.ts';
import { testClock } from './clock.ts';

/** Every house of a run has the same master key, so that copies of one database can be opened by any test. */
export const MASTER_KEY = 'a'.repeat(64);

/** The owner whom the set-up of every test house made. */
export const OWNER = {
  name: 'Olive Owner',
  email: 'olive@example.org',
  password: 'a long and quiet evening',
} as const;

export function configFor(variables: Record<string, string>): Config {
  const prefixed = Object.entries({ KEY: MASTER_KEY, PORT: '0', LOG_LEVEL: 'silent', ...variables }).map(
    ([name, value]) => [`LATCHKEY_${name}`, value],
  );
  return readConfig(Object.fromEntries(prefixed) as Record<string, string>);
}

/** Migrates, starts the plugins once and sets the house up, so that copies of its database need nothing of that. */
export async function furnish(databaseUrl: string, dataDir: string): Promise<void> {
  const config = configFor({ DATABASE_URL: databaseUrl, DATA_DIR: dataDir });
  const house = await openHouse(config, { clock: testClock(), isThrowaway: true });
  const { ownerLink, setup } = house.domains;
  const token = await ownerLink.issue();
  if (token === null) throw new Error('The house has an owner before it was set up');
  const draft = {
    ...OWNER,
    locale: 'en',
    organisation: 'Example',
    timeZone: 'Europe/Paris',
    origin: '',
  } as const;
  await setup.complete(token, draft, { ip: '127.0.0.1', userAgent: 'test' });
  await house.close();
}

export async function openHouse(
  config: Config,
  overrides: NonNullable<Parameters<typeof compose>[1]>,
  { work = false } = {},
): Promise<Latchkey> {
  const house = await compose(config, { strict: true, ...overrides });
  try {
    await house.open({ work });
    return house;
  } catch (error) {
    await house.close();
    throw error;
  }
}
