from datetime import UTC, datetime, timedelta

import pytest

from core import ids


def test_an_id_tells_when_it_was_made():
    made = ids.time_of(ids.new_id("pay"))
    assert made is not None
    assert abs(datetime.now(UTC) - made) < timedelta(seconds=5)


@pytest.mark.parametrize(
    "text", ["", "pay_", "pay_contract_1", "pay_" + "z" * 26, "pay_" + "0" * 26, "PAY_01kabc", "pay_01k" + "i" * 23]
)
def test_any_other_text_tells_nothing(text):
    assert ids.time_of(text) is None
