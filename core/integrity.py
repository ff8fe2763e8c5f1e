"""What a check of the database is: a query that must return no row. Each app lists its own in <app>/integrity.py.

Nothing here runs a check; billing_site.integrity does, all of them in one snapshot.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db.models import Model


class Check(NamedTuple):
    """`sql` returns a row for each thing that is wrong; `meaning` says what is true as long as it returns none."""

    name: str
    meaning: str
    sql: str


def guards(name: str, models: Iterable[type[Model]], triggers: Sequence[str]) -> Check:
    """Return the check that every constraint of the models and every one of these triggers is there and at work."""
    constraints = sorted({rule.name for model in models for rule in model._meta.constraints})
    wanted = ", ".join(f"('{kind}', '{rule}')" for kind, rules in
                       (("constraint", constraints), ("trigger", sorted(triggers))) for rule in rules)  # fmt: skip
    return Check(
        name,
        "The rules that the database itself holds are all there, enabled and validated.",
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
