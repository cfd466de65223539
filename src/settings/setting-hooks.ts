import { auditEvent } from '../audit/index.ts';
import { defineVeto } from '../hooks/tokens.ts';

export const settingMayChange = defineVeto<{ setting: string; actorId: string | null }>({
  name: 'setting.may-change',
  summary: 'Refuses another value for a setting. What it would be is not shown: it may be a secret.',
  since: '0.1.0',
  failure: 'open',
  budgetMs: 50,
});

export const settingChanged = auditEvent('setting.changed', 'A setting has another value.');
