// The very file the server checks keys with: a mistyped key is seen before anything is sent.
import { check } from '/join/step/tokens.js';

const field = document.getElementById('field-key');
const says = document.getElementById('key-check');

/** A link is as good as the key in it; a key that somebody chose cannot be judged here. */
function verdictOn(typed) {
  const text = typed.trim().split(/[?#]/)[0].replace(/\/+$/, '').split('/').pop();
  if (text.replace(/[\s-]/g, '').length < 25) return null;
  const kind = /^lkmail_/i.test(text) ? 'lkmail_' : 'lkinv_';
  return check(text, kind);
}

function judge() {
  const verdict = verdictOn(field.value);
  says.hidden = verdict === null;
  if (verdict === null) return;
  const { reason, suspect } = verdict.ok ? { reason: 'ok' } : verdict;
  const words = suspect && reason === 'checksum' ? says.dataset.group : says.dataset[reason];
  says.textContent = words.replace('#', String(suspect?.group ?? ''));
}

if (field && says) field.addEventListener('input', judge);
