"""Run the integrity checks within a test's own transaction."""

from collections.abc import Iterable

from billing_site.integrity import CHECKS, look
from core.integrity import Check


def found(checks: Iterable[Check] = CHECKS) -> dict[str, int]:
    """Return the number of errors of each check that finds any."""
    return {finding.check.name: finding.count for finding in look(checks) if finding.count}
