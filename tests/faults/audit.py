"""Checks that our ledger has what a gateway has on record. No test lives here."""

from collections import defaultdict

from django.db.models import Q

from accounts.models import User
from ledger.models import Account, Transaction
from payments.models import Dispute, Payment, Refund
from tests.faults.records import Books, Money
from tests.payments.rows import times_credited

CARD, WALLET = Refund.Destination.CARD, Refund.Destination.WALLET


def assert_nothing_is_open() -> None:
    """Nothing waits for an answer or for staff."""
    assert set(Payment.objects.values_list("status", flat=True)) <= {"confirmed", "failed", "cancelled", "expired"}
    assert not Payment.objects.exclude(parked_reason="").exists()
    for rows in (Refund.objects, Dispute.objects):
        assert not rows.filter(status__in=["pending", "open"]).exists()
        assert not rows.exclude(parked_reason="").exists()


def assert_pages_are_sold_once(theirs: Books) -> None:
    """Each payment has one page at most, and is credited once if that was paid, otherwise never."""
    assert set(theirs.pages.values()) == {1}
    for payment in Payment.objects.all():
        was_paid = payment.public_id in theirs.money
        assert times_credited(payment) == was_paid == (payment.status == "confirmed"), payment


def assert_refunds_happened_once(theirs: Books) -> None:
    """Each refund to a card that did not fail was made once, and none was made that is not ours."""
    ours = {refund.public_id: refund for refund in Refund.objects.filter(destination=CARD)}
    assert set(theirs.refunds) <= set(ours)
    for public_id, refund in ours.items():
        made = theirs.refunds.get(public_id, [])
        assert made == [refund.status] or (made == [] and refund.status == "failed"), refund


def assert_money_is_equal(gateway: str, theirs: Books) -> None:
    """The gateway holds what our ledger says: for each payment, for each customer, and in all."""
    assert _in_ledger(gateway) == theirs.money
    total = theirs.total()
    assert _clearing(gateway) == total.left - total.fee
    for customer in User.objects.all():
        paid = [theirs.money[name].left for (name,) in _paid_by(customer)]
        given = Refund.objects.filter(payment__customer=customer, destination=WALLET)
        assert _owned(customer) == sum(paid) + sum(refund.amount for refund in given), customer


def _paid_by(customer: User) -> list[tuple[str]]:
    return list(Payment.objects.filter(customer=customer, status="confirmed").values_list("public_id"))


def _in_ledger(gateway: str) -> dict[str, Money]:
    """Return what was posted to and from the gateway's clearing account, by payment."""
    payment_of = {f"payment:{each}": each for each in Payment.objects.values_list("public_id", flat=True)}
    payment_of |= {key.replace("payment:", "fee:"): name for key, name in payment_of.items()}
    for word, rows in (("refund", Refund.objects), ("dispute", Dispute.objects), ("fee", Dispute.objects)):
        payment_of |= {f"{word}:{of}": name for of, name in rows.values_list("public_id", "payment__public_id")}
    found: dict[str, Money] = defaultdict(Money)
    for key, amount in _movements(gateway):
        word, public_id = key.split(":")[:2]
        money = found[payment_of[f"{word}:{public_id}"]]
        match word:
            case "payment":
                money.captured += amount
            case "refund":
                money.refunded -= amount
            case "dispute":
                money.disputed -= amount
            case "fee":
                money.fee -= amount
    return found


def _movements(gateway: str) -> list[tuple[str, int]]:
    """Return the key of each posting to the clearing account, with what it adds to what the gateway owes us.

    Payouts are left out: what a gateway has paid out, it has taken all the same.
    """
    account = Account.objects.get(code=f"gateway_clearing:{gateway}", currency="RUB").pk
    rows = Transaction.objects.filter(Q(debit=account) | Q(credit=account)).exclude(reason="payout")
    return [(row.key, row.amount if row.debit_id == account else -row.amount) for row in rows]


def _clearing(gateway: str) -> int:
    """Return what the gateway owes us, without what it keeps as fees."""
    return sum(amount for _, amount in _movements(gateway))


def _owned(customer: User) -> int:
    """Return the customer's balance without their debt."""
    accounts = Account.objects.filter(owner=customer, kind__in=["wallet", "debt"], currency="RUB")
    return sum(account.balance or 0 for account in accounts)
