"""The receipt of a payment: what was received, from whom, how, and the balance around it. Not an invoice by law."""

from dataclasses import dataclass
from datetime import datetime

from accounts import billing_details
from accounts.billing_details import BillingDetails
from ledger.models import Transaction
from ledger.money import Money
from payments import descriptions
from payments.models import Payment
from payments.web.forms import GATEWAYS


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt. All amounts are in the currency that was received."""

    # Unique among all receipts: `R-` and the number of the transaction that credited the balance.
    number: str
    reference: str
    at: datetime
    # Who paid, as they were then.
    customer: BillingDetails
    what: str
    way: str
    received: Money
    # What of it paid a debt, at once; zero if nothing did.
    debt_paid: Money
    balance_before: Money
    balance_after: Money
    # What has been refunded of it until now.
    refunded: Money


def receipt_of(payment: Payment) -> Receipt | None:
    """Return the receipt of a confirmed payment; None for one that credited nothing."""
    if payment.status != Payment.Status.CONFIRMED:
        return None
    credit = Transaction.objects.get(key=f"payment:{payment.public_id}")
    debt = debt_payment_of(payment)
    paid = debt.amount if debt else 0
    before = (credit.balance_after or 0) - credit.amount
    return Receipt(
        number=f"R-{credit.pk}",
        reference=payment.reference,
        at=credit.effective_at,
        customer=customer_of(payment),
        what=descriptions.name_of(payment),
        way=way_of(payment),
        received=Money(credit.amount, credit.currency),
        debt_paid=Money(paid, credit.currency),
        balance_before=Money(before, credit.currency),
        balance_after=Money(before + credit.amount - paid, credit.currency),
        refunded=payment.refunded,
    )


def customer_of(payment: Payment) -> BillingDetails:
    """Return who paid, as they were then; for a payment that did not keep it, as they are now."""
    return BillingDetails(**payment.billed_to) if payment.billed_to else billing_details.current(payment.customer)


def debt_payment_of(payment: Payment) -> Transaction | None:
    """Return the transaction that paid a debt out of the payment, if there was one."""
    return Transaction.objects.filter(key=f"debt_payment:payment:{payment.public_id}").first()


def way_of(payment: Payment) -> str:
    """Return how it was paid: the saved card or account, else the way as the checkout calls it.

    A gateway without a name there has its own.
    """
    if payment.method is not None:
        return str(payment.method)
    known = GATEWAYS.get(payment.gateway)
    return str(known.name) if known else payment.gateway
