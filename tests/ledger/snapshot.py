"""Asking the checks what is wrong, within a test's own transaction. No test lives here."""

from collections.abc import Iterable

from billing_site.integrity import CHECKS, look
from core.integrity import Check


def found(checks: Iterable[Check] = CHECKS) -> dict[str, int]:
    """Return how many rows each check finds wrong, without those that find none."""
    return {finding.check.name: finding.count for finding in look(checks) if finding.count}
