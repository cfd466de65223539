// Keys for lists and tickets. Everything they do can be done by pointing as well;
// keys that only press or focus one thing are `data-shortcut` in the pages.

const rows = () => [...document.querySelectorAll('[data-ticket]')];
let current = -1;

function go(step) {
  const all = rows();
  if (all.length === 0) return;
  current = Math.min(all.length - 1, Math.max(0, current + step));
  for (const [at, row] of all.entries()) row.classList.toggle('is-current', at === current);
  all[current].querySelector('a')?.focus();
  all[current].scrollIntoView({ block: 'nearest' });
}

function note() {
  const choice = document.getElementById('reply-private');
  if (choice) choice.checked = true;
  reply();
}

function reply() {
  document.querySelector('#reply textarea')?.focus();
}

const actions = {
  j: () => go(1),
  k: () => go(-1),
  x: () => rows()[current]?.querySelector('input[type="checkbox"]')?.click(),
  r: reply,
  n: note,
  c: () => location.assign('/tickets/new'),
  u: () => location.assign('/tickets'),
  '?': () => document.getElementById('shortcuts')?.showModal(),
};

document.addEventListener('keydown', (event) => {
  const typing = event.target.closest?.('input:not([type="checkbox"]), textarea, select, [contenteditable], dialog');
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});
