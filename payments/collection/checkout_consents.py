"""Consents to renewals that customers give at a checkout, beside "save this card".

They come into force only once the payment has saved its method, for exactly that method, and at most once. What the
customer decides later on the page of automatic payments counts more.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext as _

from payments.collection import consents
from payments.collection.consents import Agreement, Purpose
from payments.models import CheckoutConsent, Consent, Payment, PaymentMethod


def words() -> str:
    """Return what a customer agrees to at a checkout, in the current language."""
    text = _(
        "I agree that %(site)s saves the card or account with which I pay now, and charges it when my balance is too "
        "low for a renewal of my subscriptions: only what is missing, at most %(hours)d hours before the renewal. If "
        "the charge is declined, it is tried again for up to %(days)d days. I can withdraw this at any time on my "
        "account page."
    )
    return text % {
        "site": settings.SITE_NAME, "hours": settings.COLLECTION_AHEAD // timedelta(hours=1),
        "days": max(settings.COLLECTION_RETRY_DAYS, default=0),
    }  # fmt: skip


def record(payment: Payment, agreement: Agreement) -> None:
    """Keep what the customer has agreed to with a new payment. Nothing is in force by it. Call it in a transaction."""
    CheckoutConsent.objects.create(
        payment=payment, words=agreement.words, language=agreement.language, version=agreement.version,
        address=agreement.address, given_at=agreement.given_at,
    )  # fmt: skip


def hold(payment: Payment) -> None:
    """Lock what may change when the payment turns out to be paid. Call it before any wallet is locked."""
    if _waiting(payment) is not None:
        consents.hold(payment.customer_id)
        consents.lock(payment.customer_id, Purpose.RENEWALS)


def drop(payment: Payment, *, now: datetime) -> None:
    """Drop what was agreed to with a payment that was over or given up: money that still comes revives nothing."""
    CheckoutConsent.objects.filter(payment=payment, consent=None, dropped_at=None).update(dropped_at=now)


def come_into_force(payment: Payment, method: PaymentMethod, *, now: datetime) -> Consent | None:
    """Make a consent of what was agreed to with a paid payment, for the method that it has saved.

    It is dropped if the method cannot be charged, or if the customer has given or withdrawn a consent since. Call it in
    the transaction that saves the method, with the payment locked. Again, it does nothing.
    """
    agreed = _waiting(payment)
    if agreed is None:
        return None
    consents.hold(payment.customer_id)
    since = Q(given_at__gt=agreed.given_at) | Q(withdrawn_at__gt=agreed.given_at)
    decided = Consent.objects.filter(since, customer=payment.customer_id, purpose=Purpose.RENEWALS).exists()
    if decided or method.customer_id != payment.customer_id or consents.obstacle(method, now=now):
        drop(payment, now=now)
        return None
    consents.make_default(method)
    agreement = Agreement(
        words=agreed.words, language=agreed.language, version=agreed.version, address=agreed.address,
        given_at=agreed.given_at,
    )  # fmt: skip
    agreed.consent = consents.give(method, Purpose.RENEWALS, agreement, now=now)
    agreed.save(update_fields=["consent"])
    return agreed.consent


def _waiting(payment: Payment) -> CheckoutConsent | None:
    return CheckoutConsent.objects.filter(payment=payment, consent=None, dropped_at=None).first()
