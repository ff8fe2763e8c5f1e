"""Who pays automatically: whether a saved method is charged when the balance is too low, so that nobody is warned."""

from dataclasses import dataclass
from datetime import datetime

from payments.collection import consents, top_ups
from payments.collection.consents import Purpose
from payments.gateways import registry
from payments.models import AutoTopUp, Consent, PaymentMethod


@dataclass(frozen=True, slots=True)
class Coverage:
    """All consents of a customer that are in force, each with its method and its rule for top-ups."""

    consents: list[Consent]

    @property
    def agreed_methods(self) -> frozenset[int]:
        """Primary keys of the methods that the customer has agreed to be charged."""
        return frozenset(consent.method_id for consent in self.consents)

    def renewal_method(self, currency: str, *, now: datetime) -> PaymentMethod | None:
        """Return the saved method that is charged for renewals in this currency; None if there is none."""
        for consent in self.consents:
            if consent.purpose == Purpose.RENEWALS:
                can_pay = consent.method.is_default and _can_charge(consent.method, currency, now=now)
                return consent.method if can_pay else None
        return None

    def top_up_method(self, currency: str, *, now: datetime) -> PaymentMethod | None:
        """Return the saved method with which a rule tops up this balance; None without a rule.

        None too if the rule's monthly limit stands in the way.
        """
        for consent in self.consents:
            rule: AutoTopUp | None = getattr(consent, "auto_top_up", None)
            if rule is not None and rule.currency == currency and rule.ended_at is None and rule.stopped_at is None:
                is_capped = rule.capped_at is not None and top_ups.next_month(rule.capped_at) > now
                can_pay = not is_capped and _can_charge(consent.method, currency, now=now)
                return consent.method if can_pay else None
        return None

    def method(self, currency: str, *, now: datetime) -> PaymentMethod | None:
        """Return the saved method that is charged for what a renewal in this currency lacks, for whichever reason."""
        return self.renewal_method(currency, now=now) or self.top_up_method(currency, now=now)


def of(customer_id: int) -> Coverage:
    """Return the customer's coverage, in one query."""
    rows = Consent.objects.filter(customer=customer_id, withdrawn_at=None)
    return Coverage(list(rows.select_related("method", "auto_top_up").order_by("pk")))


def _can_charge(method: PaymentMethod, currency: str, *, now: datetime) -> bool:
    return not consents.obstacle(method, now=now) and registry.can(method.gateway).takes(currency)
