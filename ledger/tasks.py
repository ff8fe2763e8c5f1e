"""Work of the ledger that beat pokes."""

from celery import shared_task

from ledger import rollups


@shared_task
def fold_rollups() -> int:
    """Fold the rollups of system accounts that have gathered many."""
    return rollups.fold_all()
