// Comfort only: on a phone a row of a list is a card, whose cells are named by the headings of the table.
addEventListener('DOMContentLoaded', () => {
  const table = document.getElementById('result_list');
  if (!table || !table.tHead) return;
  const names = [...table.tHead.rows[0].cells].map(cell => cell.classList.contains('action-checkbox-column') ? '' : cell.innerText.trim());
  for (const row of table.tBodies[0].rows) {
    [...row.cells].forEach((cell, place) => {
      if (place && names[place] && cell.tagName === 'TD') cell.dataset.label = names[place];
      if (cell.textContent.trim() === '-') cell.dataset.empty = '';
    });
  }
});
