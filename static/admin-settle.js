// Comfort only: where a step of a long act is done, the next one begins by itself. Leaving the page stops it.
addEventListener('DOMContentLoaded', () => {
  const form = document.querySelector('form[data-goes-on]');
  if (!form) return;
  const next = setTimeout(() => form.requestSubmit(), 400);
  form.addEventListener('click', () => clearTimeout(next));
});
