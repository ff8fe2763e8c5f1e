"""CSV that a spreadsheet reads as it was meant."""

import csv
import io
from decimal import Decimal

import pytest

from core.csv_text import csv_text, escape_formula


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1"])
def test_a_cell_that_looks_like_a_formula_is_quoted(text):
    assert escape_formula(text) == "'" + text
    assert escape_formula("x" + text) == "x" + text


def test_numbers_stay_numbers_and_texts_come_back_as_they_were():
    rows = [(Decimal("-12.50"), -3, "-12.50"), (None, 'a "b", c', "two\nlines")]
    text = csv_text(rows)
    assert text.splitlines()[0] == "-12.50,-3,'-12.50"
    assert list(csv.reader(io.StringIO(text, newline="")))[1] == ["", 'a "b", c', "two\nlines"]
