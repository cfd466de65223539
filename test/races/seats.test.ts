import { describeOnEachEngine } from '../support/databases.ts';
import { Nodes } from './nodes.ts';
import { promisesAtTheSameTime } from './same-time.ts';

describeOnEachEngine('the seats of an invitation key, through two servers on one database', (engine) => {
  promisesAtTheSameTime(async () => {
    const nodes = await Nodes.on(engine);
    return { nodes, servers: await Promise.all([nodes.start(), nodes.start()]) };
  });
});
