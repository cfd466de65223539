import type { Migration } from '../src/db/migrations.ts';

const refuse = (verb: 'UPDATE' | 'DELETE'): { sqlite: string; mysql: string } => {
  const head = `CREATE TRIGGER IF NOT EXISTS audit_entries_no_${verb.toLowerCase()} BEFORE ${verb} ON audit_entries`;
  return {
    sqlite: `${head} BEGIN SELECT RAISE(ABORT, 'audit entries are never changed'); END`,
    mysql: `${head} FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'audit entries are never changed'`,
  };
};

export const migration: Migration = {
  name: '0003-audit',
  up: [
    `CREATE TABLE IF NOT EXISTS audit_entries (
       id {id} NOT NULL PRIMARY KEY, at {instant} NOT NULL,
       actor_kind VARCHAR(8) NOT NULL, actor_id {id} NULL, actor_name VARCHAR(200) NOT NULL,
       action VARCHAR(80) NOT NULL, subject_type VARCHAR(40) NOT NULL, subject_id VARCHAR(64) NOT NULL,
       subject_label VARCHAR(320) NOT NULL, entity_id {id} NULL,
       state_before {text} NULL, state_after {text} NULL, network VARCHAR(64) NULL)`,
    'CREATE INDEX audit_entries_by_subject ON audit_entries (subject_type, subject_id, id)',
    'CREATE INDEX audit_entries_by_actor ON audit_entries (actor_id, id)',
    'CREATE INDEX audit_entries_by_action ON audit_entries (action, id)',
    'CREATE INDEX audit_entries_by_entity ON audit_entries (entity_id, id)',
    refuse('UPDATE'),
    refuse('DELETE'),
  ],
  down: ['DROP TABLE IF EXISTS audit_entries'],
};
