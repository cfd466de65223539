export * from '../../src/plugin-test/cleanup.ts';
