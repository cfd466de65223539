// A form that is sent only once the device has answered. Without script, or without a device that can, the password stays the way.

const { browserSupportsWebAuthn, startAuthentication, startRegistration } = window.SimpleWebAuthnBrowser;
const words = document.getElementById('passkey-words').dataset;

if (browserSupportsWebAuthn()) document.querySelectorAll('[data-passkey]').forEach(prepare);

function prepare(part) {
  const form = part.matches('form') ? part : part.querySelector('form');
  const button = form.querySelector('button[type=submit]');
  part.hidden = false;
  button.disabled = false;
  part.querySelector('[data-without-script]')?.remove();
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void answer(form, button, part.dataset.passkey);
  });
}

async function answer(form, button, kind) {
  const problem = form.querySelector('[data-problem]');
  problem.hidden = true;
  button.disabled = true;
  try {
    const optionsJSON = await optionsFrom(form);
    const said =
      kind === 'new' ? await startRegistration({ optionsJSON }) : await startAuthentication({ optionsJSON });
    form.elements.answer.value = JSON.stringify(said);
    form.submit();
  } catch (error) {
    problem.textContent = sayWhy(error);
    problem.hidden = false;
    button.disabled = false;
  }
}

async function optionsFrom(form) {
  const response = await fetch(form.dataset.options, {
    method: 'POST',
    credentials: 'same-origin',
    headers: { 'x-csrf-token': form.elements._csrf.value },
  });
  if (!response.ok) throw new Error(String(response.status));
  return response.json();
}

function sayWhy({ name }) {
  if (name === 'InvalidStateError') return words.known;
  return name === 'NotAllowedError' || name === 'AbortError' ? words.cancelled : words.failed;
}
