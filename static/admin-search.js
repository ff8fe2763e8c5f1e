// Comfort only: `/` moves to the search box, unless the reader is writing.
document.addEventListener('keydown', event => {
  if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest('input, textarea, select, [contenteditable]')) return;
  const box = document.getElementById('desk-search');
  if (!box) return;
  event.preventDefault();
  box.focus();
  box.select();
});
