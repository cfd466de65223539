import type { SealedColumns } from '../crypto/sealed-columns.ts';
import { defineContribution } from '../hooks/tokens.ts';

/** A finding of `latchkey doctor`; without a problem it says so in one line. */
export interface CheckResult {
  name: string;
  level: 'ok' | 'warning' | 'problem';
  message: string;
}

export const doctorChecks = defineContribution<CheckResult>({
  name: 'doctor.checks',
  summary: 'What `latchkey doctor` looks at besides: the service that a plugin calls, its licence.',
  since: '0.1.0',
  budgetMs: 200,
});

export const sealedColumns = defineContribution<readonly SealedColumns[]>({
  name: 'secret.sealed-columns',
  summary:
    'Where a plugin keeps what it seals with `host.keys`, so that `latchkey secret doctor` tries it too.',
  since: '0.1.0',
  budgetMs: 200,
});
