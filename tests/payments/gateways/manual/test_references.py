import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.gateways.manual import references

# By hand, MOD 11,10 of 482109376: 10+4=14->4, 8; 8+8=16->6, 12->1; 1+2=3, 6; 6+1=7, 14->3; 3+0=3, 6; 6+9=15->5, 10;
# 10+3=13->3, 6; 6+7=13->3, 6; 6+6=12->2, 4; 11-4=7.
GOOD = "4821093767"


def test_a_reference_has_ten_digits_of_which_the_first_is_no_zero():
    made = {references.new() for _ in range(200)}
    assert len(made) == 200
    assert all(
        each.isdecimal() and len(each) == 10 and each[0] != "0" and references.parse(each) == each for each in made
    )


@pytest.mark.parametrize(
    "text", [GOOD, "482-109-3767", " 482 109 3767 ", "482.109.3767", "482–109–3767", "482\u00a0109\u00a03767"]
)
def test_it_is_read_however_it_is_spaced(text):
    assert references.parse(text) == GOOD


@pytest.mark.parametrize(
    "text", ["", "482109376", "48210937670", "4821093766", "482-109-376A", "O821093767", "482109376\x007", GOOD * 2]
)
def test_what_is_no_reference_is_none(text):
    assert references.parse(text) is None


@given(st.integers(0, 9), st.integers(1, 9))
def test_every_mistyped_digit_is_noticed(place, difference):
    reference = references.new()
    digit = str((int(reference[place]) + difference) % 10)
    assert references.parse(reference[:place] + digit + reference[place + 1 :]) is None


@pytest.mark.parametrize(
    ("purpose", "found"),
    [
        (f"Оплата по счёту {GOOD} от 02.11.2026, без НДС", [GOOD]),
        ("Payment 5, 482-109-3767, thank you", [GOOD]),
        (f"{GOOD} {GOOD}", [GOOD, GOOD]),
        ("Invoice 40702810900000000001 of 2026-11-02", []),
        ("", []),
    ],
)
def test_references_are_found_in_the_purpose_of_a_payment(purpose, found):
    assert references.find(purpose) == found


def test_it_is_shown_in_groups():
    assert references.written(GOOD) == "482-109-3767"
