/** The floors of the house (ARCHITECTURE.md): an import looks down, or sideways through a front door, never up. Types too. */
const domains = ['audit', 'settings', 'jobs', 'mail', 'identity', 'notifications', 'network', 'tickets'];
const anyDomain = `^src/(${domains.join('|')})/`;
const floors = [
  '^src/shared/',
  '^src/(config\\.ts$|log\\.ts$|crypto/|db/|hooks/|outbound/|views/)',
  '^src/http/',
  anyDomain,
  '^src/plugin-host/',
  '^src/marketplace/',
  '^src/(api/|cli/|plugin-api\\.ts$)',
  '^src/(compose|main|server|cli)[^/]*\\.ts$',
  '^src/plugin-test/',
];
const tests = '^(test|bench|scripts)/|^plugins/.+/test/';
const repositories = '(^src/db/|-repository\\.ts$|^migrations/)';

const rule = (name, comment, from, to) => ({ name, severity: 'error', comment, from, to });

const looksDownOnly = floors
  .slice(0, -1)
  .map((path, at) =>
    rule(
      `floor-${at}-looks-down-only`,
      'An import never looks up.',
      { path },
      { path: floors.slice(at + 1) },
    ),
  );

const earlierDomainsOnly = domains
  .slice(0, -1)
  .map((domain, at) =>
    rule(
      `${domain}-knows-no-later-domain`,
      `The order is ${domains.join(', ')}.`,
      { path: `^src/${domain}/` },
      { path: `^src/(${domains.slice(at + 1).join('|')})/` },
    ),
  );

module.exports = {
  forbidden: [
    ...looksDownOnly,
    ...earlierDomainsOnly,
    rule(
      'domains-have-front-doors',
      'Other domains, and floors above, come in through index.ts.',
      { path: '^src/([^/]+)/', pathNot: '^src/(shared|crypto|db|hooks|outbound|views|http)/' },
      { path: anyDomain, pathNot: ['^src/$1/', '^src/[^/]+/index\\.ts$'] },
    ),
    rule('no-cycles', 'Neither at run time nor among types.', {}, { circular: true }),
    rule(
      'express-stays-in-http',
      'Routes are data; only src/http speaks Express.',
      { path: '^(src|plugins)/', pathNot: ['^src/http/', tests] },
      { path: '(^|/)node_modules/(@types/)?express/' },
    ),
    rule(
      'knex-stays-in-repositories',
      'SQL is written in src/db, in repositories and in migrations.',
      { path: '^(src|plugins)/', pathNot: [repositories, tests] },
      { path: '(^|/)node_modules/(knex|mysql2)/' },
    ),
    rule(
      'one-way-out',
      'Outbound connections are made in src/outbound, with its deadlines, caps and guard.',
      { path: '^(src|plugins)/', pathNot: ['^src/outbound/', '^src/plugin-test/', tests] },
      { path: '(^|/)node_modules/undici/' },
    ),
    rule(
      'plugins-know-one-module',
      "Of ours a plugin imports 'latchkey/plugin-api' and its own files.",
      { path: '^plugins/([^/]+)/', pathNot: tests },
      {
        path: '^(src|plugins|migrations|views|scripts|bench)/',
        pathNot: ['^src/plugin-api\\.ts$', '^plugins/$1/'],
      },
    ),
    rule(
      'plugins-leave-the-machine-alone',
      'Files, processes and sockets are the host’s.',
      { path: '^plugins/', pathNot: tests },
      {
        dependencyTypes: ['core'],
        path: '^(node:)?(fs|net|tls|dgram|http|https|http2|child_process|cluster|worker_threads|vm|module|process)(/|$)',
      },
    ),
    rule(
      'core-knows-no-plugin',
      'Plugins are found at run time.',
      { path: '^(src|migrations)/' },
      { path: '^plugins/' },
    ),
    rule(
      'nothing-knows-the-tests',
      'What runs does not import what tests it.',
      { path: '^(src|plugins|migrations)/', pathNot: tests },
      { path: tests },
    ),
    rule('no-unresolvable', 'Every import leads somewhere.', {}, { couldNotResolve: true }),
    rule(
      'production-needs-no-dev-dependency',
      'A server installs with --omit=dev.',
      { path: '^(src|plugins|migrations)/', pathNot: [tests, '^src/plugin-test/'] },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^plugins/[^/]+/(public|views)/' },
    tsPreCompilationDeps: true,
    detectProcessBuiltinModuleCalls: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['node', 'import', 'types', 'default'],
    },
    reporterOptions: { text: { highlightFocused: true } },
  },
};
