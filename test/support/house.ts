export * from '../../src/plugin-test/house.ts';
