/** While a plugin is being written: loads the page again when the plugin was. */
const shown = document.getElementById('plugin-dev')?.dataset.generation;

async function look() {
  try {
    const answer = await fetch('/dev/plugin', { cache: 'no-store' });
    const { generation } = await answer.json();
    if (String(generation) !== shown) location.reload();
  } catch {
    // The server is being started again.
  }
}

if (shown !== undefined) setInterval(look, 250);
