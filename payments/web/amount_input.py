"""Parsing of amounts as people type them: `1 000,50`, `1,000.50`, `€25`, `25 EUR`.

Nothing is guessed: `1,000` is asked back. The page shows the result before payment.
"""

import re

from babel.numbers import get_currency_symbol
from django.utils.translation import gettext as _

from ledger import display
from ledger.money import EXPONENTS, Money, NotMoney, exponent_of

# Anything that looks like a space, and the apostrophe that separates thousands in Switzerland.
_GAPS = re.compile(r"[\s\u00a0\u2009\u202f'’]")
_PARTS = re.compile(r"([^0-9.,+-]*)([0-9.,]+)([^0-9,+-]*)", re.ASCII)
_SHAPE = re.compile(r"[0-9]{1,15}([.,][0-9]{1,15})*", re.ASCII)
_GROUPS = re.compile(r"[0-9]{1,3}([.,][0-9]{3})+", re.ASCII)
# What people write for a currency beside its code and its sign, in lower case and without a full stop at the end.
_WORDS = {"RUB": ("руб", "р", "₽", "rub"), "EUR": ("евро", "euro"), "USD": ("долл", "dollars")}


class Unclear(NotMoney):
    """An amount that has to be asked back. The text says to the customer how to write what they mean."""


def parse(text: str, currency: str) -> Money:
    """Return the amount, with a point or a comma for decimals and any grouping, and the currency's sign or none.

    Raises Unclear if it has two meanings or another currency's sign, NotMoney if it is no amount.
    """
    parts = _PARTS.fullmatch(_GAPS.sub("", text))
    if not parts:
        raise NotMoney(f"{text!r} is not an amount")
    before, bare, after = parts.groups()
    _check_sign(before, currency)
    _check_sign(after, currency)
    if not _SHAPE.fullmatch(bare):
        raise NotMoney(f"{text!r} is not an amount")
    separators = [sign for sign in bare if sign in ",."]
    if not separators:
        return Money.parse(bare, currency)
    if len(set(separators)) == 1 and _GROUPS.fullmatch(bare):
        return _grouped(bare, separators, currency)
    whole, decimals = bare[: bare.rindex(separators[-1])], bare[bare.rindex(separators[-1]) + 1 :]
    if separators.count(separators[-1]) > 1 or not (whole.isdigit() or _GROUPS.fullmatch(whole)):
        raise NotMoney(f"{text!r} is not an amount")
    return Money.parse(re.sub("[.,]", "", whole) + "." + decimals, currency)


def _check_sign(sign: str, currency: str) -> None:
    """Accept the sign, the code or the name of the currency, and nothing at all."""
    word = sign.rstrip(".").casefold()
    if not word or word in _signs(currency):
        return
    if any(word in _signs(other) for other in EXPONENTS):
        raise Unclear(_("The amount is in %(currency)s here. Enter only the number.") % {"currency": currency})
    raise NotMoney(f"{sign!r} is not a currency")


def _signs(currency: str) -> set[str]:
    symbols = (get_currency_symbol(currency, language).casefold() for language in ("en", "ru"))
    return {currency.casefold(), *symbols, *_WORDS.get(currency, ())}


def _grouped(bare: str, separators: list[str], currency: str) -> Money:
    """Parse digits grouped by one kind of separator.

    `1,000,000` is a million. `1,000` and `1.000` are a thousand to some and one to others: raise Unclear. With three
    decimals `1.000` is one, as our pages and links write it; without decimals both are a thousand.
    """
    digits = re.sub("[.,]", "", bare)
    if separators == ["."] and exponent_of(currency) > 2:
        return Money.parse(bare, currency)
    if len(separators) > 1 or exponent_of(currency) == 0:
        return Money.parse(digits, currency)
    whole, decimals = re.split("[.,]", bare)
    if whole == "0":
        return Money.parse(f"{whole}.{decimals}", currency)
    more = Money.parse(digits, currency)
    values = {"typed_more": digits, "more": display.money(more)}
    if decimals[exponent_of(currency) :].strip("0"):
        raise Unclear(_("Enter %(typed_more)s for %(more)s.") % values)
    less = Money.parse(f"{whole}.{decimals[: exponent_of(currency)]}", currency)
    values |= {"typed_less": less.plain(), "less": display.money(less)}
    raise Unclear(_("Enter %(typed_more)s for %(more)s, or %(typed_less)s for %(less)s.") % values)
