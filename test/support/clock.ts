export * from '../../src/plugin-test/clock.ts';
