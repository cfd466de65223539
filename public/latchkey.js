// Everything here only makes easier what works without it.

const all = (root, selector) => [...(root.matches?.(selector) ? [root] : []), ...root.querySelectorAll(selector)];

/** Says something to those who listen instead of looking. */
function announce(words) {
  const region = document.getElementById('live');
  if (!region) return;
  region.textContent = '';
  setTimeout(() => (region.textContent = words), 50);
}

/** Buttons that need script wait hidden until there is some. */
function copyButton(button) {
  const label = button.querySelector('span') ?? button;
  const words = label.textContent;
  button.hidden = false;
  button.addEventListener('click', async () => {
    const field = document.getElementById(button.dataset.copy);
    await copy(field);
    label.textContent = button.dataset.copied;
    announce(button.dataset.copied);
    setTimeout(() => (label.textContent = words), 2000);
  });
}

/** Without https there is no clipboard: then all of it is selected, ready for Ctrl+C. */
async function copy(field) {
  const text = field.value ?? field.textContent.replace(/\s/g, '');
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    field.select?.();
    document.execCommand('copy');
  }
}

/** One box for all boxes of that name in its table; it says when some are chosen and some are not. */
function chooseAll(box) {
  const table = box.closest('table');
  const boxes = () => [...table.querySelectorAll(`input[name="${box.dataset.chooseAll}"]`)];
  box.hidden = false;
  box.addEventListener('change', () => boxes().forEach((one) => (one.checked = box.checked)));
  table.addEventListener('change', () => {
    const chosen = boxes().filter(({ checked }) => checked).length;
    box.checked = chosen > 0 && chosen === boxes().length;
    box.indeterminate = chosen > 0 && !box.checked;
  });
}

function passwordField(box) {
  const input = box.querySelector('input');
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'btn field__reveal';
  button.textContent = box.dataset.show;
  button.setAttribute('aria-controls', input.id);
  button.addEventListener('click', () => {
    const shown = input.type === 'text';
    input.type = shown ? 'password' : 'text';
    button.textContent = shown ? box.dataset.show : box.dataset.hide;
  });
  box.append(button);
  input.form?.addEventListener('submit', () => (input.type = 'password'));
}

/** Pages give times in the house's time zone; pointing at one adds the reader's own. */
function localTime(event) {
  const time = event.target.closest?.('time[datetime]');
  if (!time || time.dataset.seen) return;
  time.dataset.seen = 'yes';
  const here = new Date(time.dateTime).toLocaleString(document.documentElement.lang, {
    dateStyle: 'medium',
    timeStyle: 'long',
  });
  time.title = time.title ? `${time.title}\n${here}` : here;
}

/** Pictures pasted or files dropped on a text go into the file field it names. */
function dropTarget(area) {
  const input = document.getElementById(area.dataset.drop);
  if (!input) return;
  const add = (files) => {
    if (files.length === 0) return false;
    const all = new DataTransfer();
    for (const file of [...(input.multiple ? input.files : []), ...files]) all.items.add(file);
    input.files = all.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
    return true;
  };
  area.addEventListener('paste', (event) => add(event.clipboardData.files) && event.preventDefault());
  area.addEventListener('dragover', (event) => {
    event.preventDefault();
    area.classList.add('drop-target');
  });
  area.addEventListener('dragleave', () => area.classList.remove('drop-target'));
  area.addEventListener('drop', (event) => {
    area.classList.remove('drop-target');
    if (add(event.dataTransfer.files)) event.preventDefault();
  });
}

/** Whoever sets the house up most likely lives in its time zone; the server's own is often UTC. */
function ownZone(box) {
  const select = box.querySelector('select');
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  if ([...select.options].some(({ value }) => value === timeZone)) select.value = timeZone;
}

/** Shows the names of what was chosen, pasted or dropped. */
function fileNames(input) {
  const list = document.getElementById(input.dataset.files);
  input.addEventListener('change', () => {
    list.replaceChildren(
      ...[...input.files].map((file) => {
        const item = document.createElement('li');
        item.className = 'attachment';
        item.textContent = `${file.name} · ${Math.max(1, Math.round(file.size / 1024)).toLocaleString()} kB`;
        return item;
      }),
    );
    announce([...input.files].map((file) => file.name).join(', '));
  });
}

/** Whoever chooses a theme sees it before saving. */
function themeChoice(control) {
  control.addEventListener('change', () => {
    if (control.value === 'auto') delete document.documentElement.dataset.bsTheme;
    else document.documentElement.dataset.bsTheme = control.value;
  });
}

function enhance(root) {
  for (const button of all(root, '[data-copy]')) copyButton(button);
  for (const box of all(root, '[data-password]')) passwordField(box);
  for (const area of all(root, '[data-drop]')) dropTarget(area);
  for (const input of all(root, 'input[data-files]')) fileNames(input);
  for (const box of all(root, '[data-own-zone]')) ownZone(box);
  for (const box of all(root, '[data-choose-all]')) chooseAll(box);
  for (const control of all(root, '[name="theme"]')) themeChoice(control);
  for (const select of all(root, '[data-autosubmit]'))
    select.addEventListener('change', () => select.form.requestSubmit());
  for (const field of all(root, '[data-select]')) field.addEventListener('focus', () => field.select());
  for (const tab of all(root, '.tabs__link[aria-current]')) tab.scrollIntoView({ block: 'nearest', inline: 'center' });
  all(root, '[data-focus]').at(0)?.focus();
}

function closeMenus(except) {
  for (const menu of document.querySelectorAll('details[data-menu][open]'))
    if (!menu.contains(except)) menu.open = false;
}

document.addEventListener('click', (event) => closeMenus(event.target));
document.addEventListener('pointerover', localTime, { passive: true });
document.addEventListener('focusin', localTime);

document.addEventListener('keydown', (event) => {
  const typing = event.target.closest?.('input, textarea, select, [contenteditable]');
  if (event.key === 'Escape') {
    const menu = event.target.closest?.('details[data-menu][open]');
    closeMenus(null);
    menu?.querySelector('summary').focus();
  } else if (!typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const target = document.querySelector(`[data-shortcut="${CSS.escape(event.key)}"]`);
    if (!target) return;
    event.preventDefault();
    if (target.matches('a, button')) target.click();
    else target.focus();
  }
});

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (form.dataset.confirm && !confirm(form.dataset.confirm)) return event.preventDefault();
  if (form.method !== 'post' || form.hasAttribute('hx-post')) return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = 'yes';
});

// A page that comes back from the history can be sent again.
addEventListener('pageshow', () => {
  for (const form of document.querySelectorAll('form[data-sent]')) delete form.dataset.sent;
});

document.addEventListener('htmx:load', (event) => event.detail.elt !== document.body && enhance(event.detail.elt));
enhance(document.body);
