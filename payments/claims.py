"""Which open payments are due to be asked about, shared out among any number of workers."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F

from payments import states
from payments.models import Payment

# A claimed payment that nobody reported on comes up again after this: its worker is gone.
LEASE = timedelta(minutes=2)


def claim_one(*, now: datetime, **which: Any) -> Payment | None:
    """Take the open payment that is due longest, if there is one that no other worker has; commit the claim."""
    due = Payment.objects.filter(check_at__lte=now, status__in=states.OPEN, **which).order_by("check_at")
    with transaction.atomic():
        payment = due.select_for_update(skip_locked=True, of=("self",), no_key=True).first()
        if payment:
            Payment.objects.filter(pk=payment.pk).update(check_at=now + LEASE, checks=F("checks") + 1)
    return payment
