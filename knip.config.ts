import type { KnipConfig } from 'knip';

export default {
  entry: [
    'src/{main,server,cli,dev,plugin-api}.ts!',
    'migrations/*.ts!',
    'plugins/*/src/index.ts!',
    'plugins/*/migrations/*.ts!',
    'plugins/network-hub/premium/*/{src/index,migrations/*}.ts!',
    'test/**/*.test.ts',
    'test/**/fixtures/**/*.ts',
    'test/support/{setup,global-setup,second-tries,crashing-install,crashing-marketplace,crashing-rotation}.ts',
    'bench/{load,newcomers}.ts',
    'bench/bare/*.ts',
    'scripts/*.ts',
  ],
  project: ['{src,migrations,plugins}/**/*.ts!', '!plugins/**/test/**!', '{test,bench,scripts}/**/*.ts'],
  ignoreExportsUsedInFile: true,
  // A time is a whole number to the database and something else to the reader.
  exclude: ['duplicates'],
  // Read as files: style sheets, fonts, icons, scripts for the browser; the runtime itself.
  ignoreDependencies: [
    '@fontsource-variable/inter',
    '@tabler/core',
    '@tabler/icons',
    '@simplewebauthn/browser',
    'htmx.org',
    'axe-core',
    // Asked for by knex by its name.
    'mysql2',
    '@ip-location-db/geo-whois-asn-country-mmdb',
    'node',
  ],
} satisfies KnipConfig;
