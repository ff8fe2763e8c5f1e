"""Parsing of amounts as people type them: `1 000,50`, `1,000.50`, `1000`. The page shows the result before payment."""

import re

from ledger.money import Money, NotMoney, exponent_of

# Anything that looks like a space, and the apostrophe that separates thousands in Switzerland.
_GAPS = re.compile(r"[\s\u00a0\u2009\u202f'’]")
_SHAPE = re.compile(r"[0-9]{1,15}([.,][0-9]{1,15})*", re.ASCII)
_GROUPS = re.compile(r"[0-9]{1,3}([.,][0-9]{3})+", re.ASCII)


def parse(text: str, currency: str) -> Money:
    """Return the amount, with a point or a comma for decimals and any grouping; raise NotMoney if it is ambiguous."""
    bare = _GAPS.sub("", text)
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


def _grouped(bare: str, separators: list[str], currency: str) -> Money:
    """Parse digits grouped by one kind of separator.

    `1,000` is a thousand. `1.000` is ambiguous, and in a currency with three decimals so is `1,000`: raise NotMoney. In
    such a currency `1.000` is one, as our pages and links write it.
    """
    if separators == ["."] and exponent_of(currency) > 2:
        return Money.parse(bare, currency)
    if len(separators) == 1 and (separators == ["."] or exponent_of(currency) > 2):
        raise NotMoney(f"{bare!r} is ambiguous; leave out the thousands separator")
    return Money.parse(re.sub("[.,]", "", bare), currency)
