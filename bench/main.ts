/** `npm run bench -- redeem|join-page|boot|hooks|plugins|reload|scale|cluster-redeem|round|catalogue|hub-hang|hub|install`: what we measure, against something bare, in one run. */
import { benchBoot } from './boot.ts';
import { benchCatalogue } from './catalogue.ts';
import { benchClusterRedeem } from './cluster-redeem.ts';
import { benchHooks } from './hooks/main.ts';
import { benchHub } from './hub.ts';
import { benchHubHang } from './hub-hang.ts';
import { benchInstall } from './install.ts';
import { benchJoinPage } from './join-page.ts';
import { benchPlugins } from './plugins.ts';
import { benchRedeem } from './redeem.ts';
import { benchReload } from './reload.ts';
import { benchRound } from './round.ts';
import { benchScale } from './scale.ts';
import { withGround } from './ground.ts';

const benches = {
  redeem: benchRedeem,
  'join-page': benchJoinPage,
  boot: benchBoot,
  hooks: benchHooks,
  plugins: benchPlugins,
  reload: benchReload,
  scale: benchScale,
  'cluster-redeem': benchClusterRedeem,
  round: benchRound,
  catalogue: benchCatalogue,
  'hub-hang': benchHubHang,
  hub: benchHub,
  install: benchInstall,
};

const [name = ''] = process.argv.slice(2);
const bench = Object.entries(benches).find(([known]) => known === name)?.[1];
if (!bench) {
  console.error(`Usage: npm run bench -- ${Object.keys(benches).join('|')}`);
  process.exit(2);
}
const isHeld = await withGround(bench);
process.exit(isHeld ? 0 : 1);
