"""Integrity checks of the database: queries that must return no rows. Each app lists its own in <app>/integrity.py.

billing_site.integrity runs them, all in one snapshot.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db.models import Model


class Check(NamedTuple):
    """A query that returns one row per error. `meaning` says what holds as long as it returns none."""

    name: str
    meaning: str
    sql: str


def guards(name: str, models: Iterable[type[Model]], triggers: Sequence[str]) -> Check:
    """Return a check that the models' constraints and these triggers exist, are enabled and validated."""
    constraints = sorted({rule.name for model in models for rule in model._meta.constraints})
    wanted = ", ".join(f"('{kind}', '{rule}')" for kind, rules in
                       (("constraint", constraints), ("trigger", sorted(triggers))) for rule in rules)  # fmt: skip
    return Check(
        name,
        "All constraints and triggers of the database exist, are enabled and validated.",
        f"""
        SELECT kind AS missing, rule FROM (VALUES {wanted}) AS wanted (kind, rule)
        EXCEPT
        SELECT 'constraint', conname FROM pg_constraint WHERE convalidated
        EXCEPT
        SELECT 'constraint', relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
         WHERE indisunique AND indisvalid
        EXCEPT
        SELECT 'trigger', tgname FROM pg_trigger WHERE tgenabled IN ('O', 'A')
        """,  # noqa: S608 - names from our own code only
    )
