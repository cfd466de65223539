import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { inject } from 'vitest';
import type { Stage } from '../races/same-time.ts';
import { Nodes } from '../races/nodes.ts';
import { afterwards } from '../support/cleanup.ts';
import { urlOfSchema } from '../support/database-names.ts';
import { startGalera, type Galera } from '../support/galera.ts';
import { furnish } from '../support/house.ts';
import { executeOn } from '../support/mysql-schemas.ts';

const SCHEMA = 'latchkey';

export interface Cluster extends Stage {
  galera: Galera;
}

/** One house on three nodes of a database, with a server at each. */
export async function startCluster(): Promise<Cluster> {
  const galera = await startGalera();
  afterwards(() => galera.stop());
  const [first, second, third] = galera.nodes;
  await executeOn(first.url, `CREATE DATABASE ${SCHEMA}`);
  await furnish(urlOfSchema(first.url, SCHEMA), await mkdtemp(join(inject('folder'), 'cluster-')));
  const nodes = new Nodes([
    urlOfSchema(first.url, SCHEMA),
    urlOfSchema(second.url, SCHEMA),
    urlOfSchema(third.url, SCHEMA),
  ]);
  return { galera, nodes, servers: [await nodes.start(0), await nodes.start(1), await nodes.start(2)] };
}
