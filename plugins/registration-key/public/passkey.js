// A passkey instead of a password, where the browser can. Without script the password is the way.

const { browserSupportsWebAuthn, startRegistration } = window.SimpleWebAuthnBrowser;
const way = document.querySelector('[data-passkey-way]');
const passwordWay = document.querySelector('[data-password-way]');
const form = way.closest('form');
const create = way.querySelector('[data-create]');
const problem = way.querySelector('[data-problem]');
const ready = way.querySelector('[data-ready]');

if (browserSupportsWebAuthn()) {
  way.hidden = false;
  create.addEventListener('click', () => void make());
  way.querySelector('[data-undo]').addEventListener('click', () => choose(false));
  if ('made' in way.dataset) choose(true);
}

/** With the passkey the password is neither asked for nor sent. */
function choose(withPasskey) {
  const password = passwordWay.querySelector('input');
  form.elements.passkey.value = withPasskey ? 'made' : '';
  passwordWay.hidden = withPasskey;
  password.disabled = withPasskey;
  create.hidden = withPasskey;
  ready.hidden = !withPasskey;
}

async function make() {
  const { email, name } = form.elements;
  if (!email.reportValidity() || !name.reportValidity()) return;
  problem.hidden = true;
  create.disabled = true;
  try {
    const optionsJSON = await ask('/join/step/passkey/options', { email: email.value, name: name.value });
    const answer = await startRegistration({ optionsJSON });
    await ask('/join/step/passkey', { answer: JSON.stringify(answer) });
    choose(true);
  } catch ({ name: kind }) {
    problem.textContent = reasonFor(kind);
    problem.hidden = false;
  }
  create.disabled = false;
}

async function ask(path, facts) {
  const { _csrf, h } = form.elements;
  const body = new URLSearchParams({ _csrf: _csrf.value, h: h.value, ...facts });
  const response = await fetch(path, { method: 'POST', credentials: 'same-origin', body });
  if (!response.ok) throw new Error(String(response.status));
  return response.json();
}

function reasonFor(kind) {
  if (kind === 'InvalidStateError') return way.dataset.known;
  return kind === 'NotAllowedError' || kind === 'AbortError' ? way.dataset.cancelled : way.dataset.failed;
}
