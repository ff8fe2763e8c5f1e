"""Periodic tasks of the ledger."""

from celery import shared_task

from ledger import rollups


@shared_task
def fold_rollups() -> int:
    """Fold the rollups of system accounts that have many; return how many accounts were folded."""
    return rollups.fold_all()
