import { redact } from '../../crypto/tokens.ts';
import type { NetworkStatus } from '../registration.ts';

/** What a vendor needs to know of this installation, and nothing that is anybody's secret or name. */
export interface House {
  latchkey: string;
  node: string;
  platform: string;
  database: string;
  network: NetworkStatus;
  plugins: readonly { id: string; version: string; state: string; error: string | null }[];
}

const LONGEST_LINE = 300;

/** As people read it before it is sent, and as it is sent: the same text. */
export function diagnosticsOf({ latchkey, node, platform, database, network, plugins }: House): string {
  const { hub, key, check } = network;
  const plan = check?.answer?.subscription;
  const lines = [
    `Latchkey ${latchkey}, Node ${node}, ${platform}, ${database}`,
    `Key ${key.light}, hub ${hub.light}, offer ${plan?.offer ?? 'none'}`,
    `Plugins: ${String(plugins.length)}`,
    ...plugins.map(({ id, version, state, error }) => {
      const trouble = error === null || error === '' ? '' : `: ${redact(error).replaceAll(/\s+/g, ' ')}`;
      return `- ${id} ${version} ${state}${trouble}`.slice(0, LONGEST_LINE);
    }),
  ];
  return lines.join('\n');
}
