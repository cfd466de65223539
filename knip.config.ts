import type { KnipConfig } from 'knip';

export default {
  entry: [
    'src/{main,server,cli,plugin-api}.ts!',
    'migrations/*.ts!',
    'plugins/*/{main,index}.ts!',
    'plugins/*/test/**/*.test.ts',
    'test/**/*.test.ts',
    'test/support/{setup,global-setup}.ts',
    'bench/main.ts',
    'scripts/*.ts',
  ],
  project: ['{src,migrations,plugins}/**/*.ts!', '!plugins/*/test/**!', '{test,bench,scripts}/**/*.ts'],
  ignoreExportsUsedInFile: true,
  ignoreBinaries: ['mariadbd'],
} satisfies KnipConfig;
