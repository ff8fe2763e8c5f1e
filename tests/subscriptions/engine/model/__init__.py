"""The billing rules once more, written apart from the engine: slow, obvious, and only to check it by.

Straight from docs/billing-rules.md (R1 to R7). Aware datetimes, Fractions and plain dicts, where the engine has
integers; nothing here may import the engine, and nothing outside the tests may import this.
"""

from tests.subscriptions.engine.model.play import play

__all__ = ["play"]
