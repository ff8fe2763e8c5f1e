"""Who pays automatically: whether a saved method is charged when the balance is too low, so that nobody is warned."""

from datetime import datetime

from payments.collection import consents, top_ups
from payments.collection.consents import Purpose
from payments.gateways import registry
from payments.models import Consent, PaymentMethod


def renewal_method(customer_id: int, currency: str, *, now: datetime) -> PaymentMethod | None:
    """Return the saved method that is charged for renewals in this currency; None if there is none."""
    consent = consents.in_force(customer_id, Purpose.RENEWALS)
    if consent is None or not consent.method.is_default:
        return None
    return consent.method if _can_charge(consent.method, currency, now=now) else None


def top_up_method(customer_id: int, currency: str, *, now: datetime) -> PaymentMethod | None:
    """Return the saved method with which a rule tops up this balance; None without a rule.

    None too if the rule's monthly limit stands in the way.
    """
    rule = top_ups.rule_of(customer_id, currency)
    if rule is None or not _can_charge(rule.consent.method, currency, now=now):
        return None
    is_capped = rule.capped_at is not None and top_ups.next_month(rule.capped_at) > now
    return None if is_capped else rule.consent.method


def agreed_methods(customer_id: int) -> frozenset[int]:
    """Return the primary keys of the methods that the customer has agreed to be charged."""
    rows = Consent.objects.filter(customer=customer_id, withdrawn_at=None)
    return frozenset(rows.values_list("method_id", flat=True))


def _can_charge(method: PaymentMethod, currency: str, *, now: datetime) -> bool:
    return not consents.obstacle(method, now=now) and registry.can(method.gateway).takes(currency)
