import type { Place } from './ground.ts';
import { runProgram } from './run-program.ts';

export interface MintedKey {
  id: string;
  key: string;
  url: string;
}

/** Mints a key as a script would, on the command line. */
export async function mintKey(
  { databaseUrl, dataDir, env }: Pick<Place, 'databaseUrl' | 'dataDir' | 'env'>,
  { maxUses }: { maxUses: number },
): Promise<MintedKey> {
  const words = ['invite', 'create', '--label', 'Class', '--max-uses', String(maxUses), '--expires', '7d'];
  const options = ['--profile', 'self-service', '--email-proof', 'none', '--json'];
  const settings = { LATCHKEY_DATABASE_URL: databaseUrl, LATCHKEY_DATA_DIR: dataDir, ...env };
  return (await runProgram('src/cli.ts', [...words, ...options], settings)) as MintedKey;
}

/** For the API, in the name of the owner. */
export async function ownersToken({ databaseUrl, dataDir, env }: Place): Promise<string> {
  const words = ['token', 'create', '--user', 'olive@example.org', '--name', 'bench', '--json'];
  const settings = { LATCHKEY_DATABASE_URL: databaseUrl, LATCHKEY_DATA_DIR: dataDir, ...env };
  return ((await runProgram('src/cli.ts', words, settings)) as { token: string }).token;
}
