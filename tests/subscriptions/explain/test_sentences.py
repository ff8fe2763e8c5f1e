"""Texts for lengths, shares and fractions: exact to the microsecond, or marked with ≈."""

import pytest
from django.utils.translation import override

from subscriptions.engine.calendar import DAY, SECOND
from subscriptions.explain import sentences

HOUR, MINUTE = 3600 * SECOND, 60 * SECOND


@pytest.mark.parametrize(
    ("micros", "words"),
    [(0, "0 s"), (1, "0.000001 s"), (1_500_000, "1.5 s"), (MINUTE, "1 min"), (2 * HOUR + 30 * MINUTE, "2 h 30 min"),
     (DAY, "1 day"), (31 * DAY, "31 days"), (15 * DAY + 12 * HOUR, "15 days 12 h"),
     (DAY + SECOND // 2, "1 day 0.5 s"), (DAY - 1, "23 h 59 min 59.999999 s")],
)  # fmt: skip
def test_a_length_is_exact(micros: int, words: str) -> None:
    assert sentences.lasting(micros) == words


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [(18 * DAY, 30 * DAY, "18 of 30 days"), (DAY, DAY, "1 of 1 day"), (0, 30 * DAY, "0 of 30 days"),
     (15 * DAY + 12 * HOUR, 31 * DAY, "15 days 12 h of 31 days"), (HOUR, 2 * HOUR, "1 h of 2 h"),
     (DAY, 2 * DAY + HOUR, "1 day of 2 days 1 h")],
)  # fmt: skip
def test_a_share_of_whole_days_is_shown_in_days(part: int, whole: int, words: str) -> None:
    assert sentences.share(part, whole) == words


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [(0, 5, "0"), (2, 5, "0.4"), (1, 8, "0.125"), (1, 3, "≈0.333333"), (2, 3, "≈0.666666"), (7, 2, "3.5"),
     (1, 10**6, "0.000001"), (1, 10**7, "≈0"), (-2, 5, "-0.4"), (-1, 3, "-≈0.333333")],
)  # fmt: skip
def test_an_inexact_fraction_is_marked(part: int, whole: int, words: str) -> None:
    assert sentences.fraction(part, whole) == words


def test_a_russian_fraction_has_a_comma() -> None:
    with override("ru"):
        assert sentences.fraction(2, 5) == "0,4"
        assert sentences.fraction(-1, 3) == "-≈0,333333"
        assert sentences.fraction(20, 2) == "10"
        assert sentences.lasting(1_500_000) == "1,5 с"


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [(21 * DAY, 31 * DAY, "21 из 31 дня"), (3 * DAY, 30 * DAY, "3 из 30 дней"), (DAY, 2 * DAY, "1 из 2 дней"),
     (15 * DAY + 12 * HOUR, 31 * DAY, "15 дней 12 ч из 31 дня"), (HOUR, 2 * HOUR, "1 ч из 2 ч")],
)  # fmt: skip
def test_a_russian_share_is_in_the_genitive(part: int, whole: int, words: str) -> None:
    with override("ru"):
        assert sentences.share(part, whole) == words
