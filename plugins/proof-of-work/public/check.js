// The work runs beside the page while somebody fills in the form; sending waits for it, if it must.

const part = document.querySelector('[data-work]');
const form = part.closest('form');
const answer = part.querySelector('[name="check-answer"]');
const challenge = part.querySelector('[name="check-challenge"]').value;
const say = (text) => (part.querySelector('[data-state] span').textContent = text);
let isWaiting = false;

say(part.dataset.working);
const worker = new Worker(part.dataset.solver);
worker.addEventListener('message', ({ data }) => finish(data));
worker.addEventListener('error', () => say(part.dataset.failed));
worker.postMessage({ challenge, difficulty: Number(part.dataset.difficulty) });

form.addEventListener('submit', hold, { capture: true });

/** Before the work is done the form stays; it goes by itself afterwards. */
function hold(event) {
  if (answer.value !== '') return;
  event.preventDefault();
  event.stopImmediatePropagation();
  isWaiting = true;
  say(part.dataset.working);
  document.getElementById('live')?.replaceChildren(part.dataset.working);
}

function finish(solution) {
  worker.terminate();
  answer.value = solution;
  part.classList.add('pow--done');
  say(part.dataset.done);
  if (isWaiting) form.requestSubmit();
}
