"""A second implementation of the billing rules, slow and obvious, to test the engine against.

It follows docs/billing-rules.md (R1 to R7), with aware datetimes, Fractions and plain dicts instead of integers. It
must not import the engine, and only tests may import it.
"""

from tests.subscriptions.engine.model.play import play

__all__ = ["play"]
