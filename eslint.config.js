import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const TESTS = ['test/**', 'src/plugin-test/**', 'plugins/*/test/**', 'bench/**', 'scripts/**', '*.config.ts'];

const environment = {
  selector: "MemberExpression[object.name='process'][property.name='env']",
  message: 'Read the environment in src/config.ts only.',
};

/** `await trx.commit()` resolves even when COMMIT failed (https://github.com/knex/knex/issues/3847). */
const transactions = [
  {
    selector:
      "CallExpression[callee.property.name='transaction']:matches([arguments.length=0], [arguments.0.type='ObjectExpression'])",
    message: 'Only the callback form of a transaction tells when COMMIT failed.',
  },
  {
    selector: "MemberExpression[property.name='transactionProvider']",
    message: 'Use db.transaction(async (tx) => …).',
  },
  {
    selector: "MemberExpression[property.name='forUpdate']",
    message: 'SQLite ignores it. Begin with the guarded write.',
  },
];

const connections = [
  {
    selector:
      'CallExpression[callee.object.name=/^(https?|http2)$/][callee.property.name=/^(request|get|connect)$/]',
    message: 'Outbound connections are made in src/outbound.',
  },
  {
    selector: "MemberExpression[object.name='globalThis'][property.name=/^(fetch|WebSocket|EventSource)$/]",
    message: 'Outbound connections are made in src/outbound.',
  },
];

const onlyIn = { environment: ['src/config.ts'], connections: ['src/outbound/**'] };

const syntax = (...rules) => ({ 'no-restricted-syntax': ['error', ...rules.flat()] });
const fetchStaysHome = {
  'no-restricted-globals': [
    'error',
    ...['fetch', 'WebSocket', 'EventSource'].map((name) => ({
      name,
      message: 'Outbound connections are made in src/outbound.',
    })),
  ],
};

export default defineConfig(
  globalIgnores(['node_modules', 'var', 'coverage', 'public', 'plugins/*/public', '**/*.cjs']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/explicit-function-return-type': ['error', { allowExpressions: true }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true, caughtErrors: 'all' },
      ],
      '@typescript-eslint/no-invalid-void-type': ['error', { allowAsThisParameter: true }],
      eqeqeq: 'error',
      'prefer-const': 'error',
      'no-param-reassign': 'error',
      ...syntax(environment, transactions, connections),
      ...fetchStaysHome,
    },
  },
  // What is composed is what the type of it is taken from.
  { files: ['src/compose-*.ts'], rules: { '@typescript-eslint/explicit-function-return-type': 'off' } },
  { files: onlyIn.environment, rules: syntax(transactions, connections) },
  {
    files: onlyIn.connections,
    rules: { ...syntax(environment, transactions), 'no-restricted-globals': 'off' },
  },
  {
    files: TESTS,
    rules: {
      ...syntax(transactions),
      'no-restricted-globals': 'off',
      '@typescript-eslint/explicit-function-return-type': 'off',
      // Answers of the app are read as they come; the expectation is the check.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      // What helpers hand out is taken apart by name: `const { as, given } = await startTestApp()`.
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    files: ['*.config.js'],
    extends: [tseslint.configs.disableTypeChecked],
    rules: { '@typescript-eslint/explicit-function-return-type': 'off' },
  },
);
