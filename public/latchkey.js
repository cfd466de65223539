/* Everything here only makes easier what works without it. */
const live = (words) => {
  const region = document.getElementById('live');
  if (region) region.textContent = words;
};
