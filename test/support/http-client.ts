export * from '../../src/plugin-test/http-client.ts';
