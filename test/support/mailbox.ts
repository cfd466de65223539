export * from '../../src/plugin-test/mailbox.ts';
