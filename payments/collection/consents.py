"""Consents to charges while the customer is away, and the method that they go to.

Nothing is charged without a consent that is in force for exactly the method that is charged.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import User
from core.errors import DomainError
from events import outbox
from payments.gateways import registry
from payments.models import Collection, CollectionPlan, Consent, PaymentMethod

Purpose = Consent.Purpose
# Increase it with every change of the words.
VERSION = 1
# Why a method cannot be charged: our keys for its gateway are missing. That is no fault of the customer's.
GATEWAY_OFF = "gateway_off"
# The last day of a card is usable to its end.
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What a customer has agreed to: the words as shown, and when. The address is None if it is not known."""

    words: str
    language: str
    version: int
    address: str | None
    given_at: datetime


def agreed(words: str, *, address: str | None, now: datetime) -> Agreement:
    """Return the agreement to these words now, in the current language."""
    language = get_language() or settings.LANGUAGE_CODE
    return Agreement(words=words, language=language, version=VERSION, address=address, given_at=now)


class MethodNotUsable(DomainError):
    """The method cannot be charged while the customer is away."""

    code = "method_not_usable"
    param = "method"


def renewal_words(method: PaymentMethod) -> str:
    """Return what a customer agrees to for renewals, in the current language."""
    text = _(
        "I agree that %(site)s charges %(method)s when my balance is too low for a renewal of my subscriptions: only "
        "what is missing, at most %(hours)d hours before the renewal. If the charge is declined, it is tried again for "
        "up to %(days)d days. I can withdraw this at any time on my account page."
    )
    return text % {
        "site": settings.SITE_NAME, "method": method, "hours": settings.COLLECTION_AHEAD // timedelta(hours=1),
        "days": max(settings.COLLECTION_RETRY_DAYS, default=0),
    }  # fmt: skip


def agree_to_renewals(method: PaymentMethod, *, address: str | None, now: datetime) -> Consent:
    """Record the consent to pay renewals with this method, make it the default one, and return the consent.

    An earlier consent to renewals is withdrawn by it. Raises MethodNotUsable.
    """
    if reason := obstacle(method, now=now):
        raise MethodNotUsable(_("This payment method cannot be used for automatic payments."), reason=reason)
    with transaction.atomic():
        make_default(method)
        return give(method, Purpose.RENEWALS, agreed(renewal_words(method), address=address, now=now), now=now)


def give(
    method: PaymentMethod, purpose: Consent.Purpose, agreement: Agreement, *, now: datetime, currency: str = ""
) -> Consent:
    """Store a consent in place of the one before. Call it in a transaction."""
    hold(method.customer_id)
    for before in Consent.objects.filter(
        customer=method.customer_id, purpose=purpose, currency=currency, withdrawn_at=None
    ):
        withdraw(before, now=now)
    consent = Consent.objects.create(
        customer_id=method.customer_id, method=method, purpose=purpose, currency=currency, words=agreement.words,
        language=agreement.language, version=agreement.version, address=agreement.address, given_at=agreement.given_at,
    )  # fmt: skip
    _record_event(consent, "given", now=now)
    wake(method.customer_id, now=now)
    return consent


def withdraw(consent: Consent, *, now: datetime, reason: str = "") -> None:
    """Withdraw a consent: from now on nothing is charged by it, also what has begun. Withdrawing twice does nothing.

    `reason` says why it was not the customer who did it.
    """
    if Consent.objects.filter(pk=consent.pk, withdrawn_at=None).update(withdrawn_at=now):
        _record_event(consent, "withdrawn", now=now, **({"reason": reason} if reason else {}))
        wake(consent.customer_id, now=now)


def end_after_dispute(customer_id: int, *, now: datetime) -> None:
    """Withdraw the consent to renewals of a customer whose bank takes a payment back. Call it in a transaction.

    Whoever tells the bank that they have not bought anything must not be charged again. The customer may agree anew.
    Rules for top-ups are stopped by payments.collection.top_ups.
    """
    hold(customer_id)
    if consent := in_force(customer_id, Purpose.RENEWALS):
        withdraw(consent, now=now, reason="disputed")


def in_force(customer_id: int, purpose: Consent.Purpose, currency: str = "") -> Consent | None:
    """Return the consent that is in force for a purpose, None if there is none."""
    found = Consent.objects.filter(customer=customer_id, purpose=purpose, currency=currency, withdrawn_at=None)
    return found.select_related("method").first()


def scope_of(collection: Collection) -> tuple[Consent.Purpose, str]:
    """Return the purpose and the currency of the consent that a collection needs."""
    is_top_up = collection.kind == Collection.Kind.TOP_UP
    return (Purpose.TOP_UPS, collection.currency) if is_top_up else (Purpose.RENEWALS, "")


def lock(customer_id: int, purpose: Consent.Purpose, currency: str = "") -> Consent | None:
    """Return the same with its row and its method's row locked: neither can be withdrawn until the transaction ends."""
    found = Consent.objects.filter(customer=customer_id, purpose=purpose, currency=currency, withdrawn_at=None)
    return found.select_for_update(of=("self", "method"), no_key=True).select_related("method").first()


def make_default(method: PaymentMethod) -> None:
    """Let charges without the customer go to this method."""
    with transaction.atomic():
        hold(method.customer_id)
        own = PaymentMethod.objects.filter(customer=method.customer_id, is_default=True)
        own.exclude(pk=method.pk).update(is_default=False)
        PaymentMethod.objects.filter(pk=method.pk).update(is_default=True)
        method.is_default = True


def obstacle(method: PaymentMethod, *, now: datetime) -> str:
    """Return why a method cannot be charged while the customer is away, as a code; "" if it can."""
    if method.removed_at is not None:
        return "method_removed"
    if method.refused_at is not None:
        return "method_refused"
    if method.expires_on is not None and method.expires_on + DAY <= now:
        return "method_expired"
    if method.gateway not in settings.GATEWAY_CLASSES or not registry.can(method.gateway).charges_off_session:
        return "gateway_cannot"
    return "" if registry.get(method.gateway).is_configured() else GATEWAY_OFF


def refuse(method: PaymentMethod, code: str, *, now: datetime) -> None:
    """Note that a method's bank has refused it for good: it is not charged any more."""
    own = PaymentMethod.objects.filter(pk=method.pk, refused_at=None)
    if own.update(refused_at=now, refused_code=code[:60]):
        data = {"method": str(method), "code": code}
        outbox.record([outbox.Fact(method.customer_id, "payment_method.refused", method.public_id, now, data)])


def wake(customer_id: int, *, now: datetime) -> None:
    """Have the customer's wallets looked at in the next run."""
    CollectionPlan.objects.filter(customer=customer_id, parked_reason="").update(check_at=now)


def hold(customer_id: int) -> None:
    """Let one change of a customer's consents wait for another."""
    User.objects.select_for_update(no_key=True).only("pk").get(pk=customer_id)


def _record_event(consent: Consent, kind: str, *, now: datetime, **more: str) -> None:
    data = {
        "purpose": consent.purpose, "currency": consent.currency or None, "method": str(consent.method),
        "words": consent.words, "version": consent.version, **more,
    }  # fmt: skip
    outbox.record([outbox.Fact(consent.customer_id, f"consent.{kind}", consent.public_id, now, data)])
