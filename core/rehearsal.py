"""What an act would change. The act is really carried out, looked at, and rolled back: nothing of it stays."""

from collections.abc import Callable
from typing import NamedTuple

from django.db import transaction

# Shown where one side has nothing.
NOTHING = "–"


class Fact(NamedTuple):
    """A line of what is so now. One that is `quiet` is shown only if it changes."""

    name: str
    text: str
    quiet: bool = False


# Facts by a key that is the same before and after.
Facts = dict[str, Fact]


class Change(NamedTuple):
    """A line of a table before -> after."""

    name: str
    before: str
    after: str

    @property
    def is_change(self) -> bool:
        """Whether the two sides differ."""
        return self.before != self.after

    @property
    def is_beginning(self) -> bool:
        """Whether there was nothing before."""
        return self.is_change and self.before == NOTHING


def rehearse(act: Callable[[], object], facts: Callable[[], Facts]) -> list[Change]:
    """Return the facts before and after the act. What the act raises passes. No act may call a remote gateway."""
    with transaction.atomic():
        before = facts()
        act()
        after = facts()
        transaction.set_rollback(True)
    return compare(before, after)


def compare(before: Facts, after: Facts) -> list[Change]:
    """Return what is different, and what is shown though it is the same."""
    changes = []
    for key, fact in {**before, **after}.items():
        old, new = before.get(key), after.get(key)
        change = Change(fact.name, old.text if old else NOTHING, new.text if new else NOTHING)
        if change.is_change or not fact.quiet:
            changes.append(change)
    return changes
