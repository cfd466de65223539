export * from '../../src/plugin-test/given.ts';
