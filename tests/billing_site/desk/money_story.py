"""A month of money of two customers, whose sums a reader can work out by hand. No test lives here."""

from datetime import UTC, datetime

import ledger
from accounts.models import User
from ledger.money import Money
from payments import payouts, refunds
from payments.models import Payment
from subscriptions import books
from tests.payments.staff_rows import pay
from tests.subscriptions.shop import sell

# The fee of the sandbox is 2.9 %.
FEE = 29_00
HOSTILE = '=HYPERLINK("http://evil.example")'


def day(number: int, hour: int = 12) -> datetime:
    """Return an hour of a day of March 2026, in UTC."""
    return datetime(2026, 3, number, hour, tzinfo=UTC)


def tell(alice: User, mallory: User) -> Payment:
    """Let the money move on 2, 3, 4 and 5 March; return Alice's payment.

    2: Alice pays in 1000.00 and buys a month for 300.00. 3: 100.00 of it goes back to her card, and 10.00 euros are
    given to Mallory. 4: Mallory's wallet of 10.00 euros loses 25.00, of which 15.00 become a debt. 5: Mallory pays in
    4.00, which pay the debt, and the sandbox pays out 500.00 roubles.
    """
    price = sell("basic", RUB=300_00)["RUB"]
    payment = pay(alice, 1000_00, now=day(2))
    with books.open(alice, "RUB", now=day(2)) as book:
        book.subscribe(price)
    refunds.issue(payment, amount=100_00, now=day(3))
    give(mallory, 10_00, at=day(3), key="story:gift", description=HOSTILE)
    with books.open(mallory, "EUR", now=day(4)) as book:
        book.take_back(25_00, key="story:lost", to="disputes", reason="chargeback")
    give(mallory, 4_00, at=day(5), key="story:paid")
    payouts.record_by_hand("sandbox", Money(500_00, "RUB"), arrived_at=day(5), reference="P-1", now=day(6))
    return payment


def give(customer: User, amount: int, *, at: datetime, key: str, description: str = "") -> None:
    """Credit a wallet in euros by hand."""
    with books.open(customer, "EUR", now=at) as book:
        book.top_up(amount, key=key, source="adjustments", reason="adjustment", description=description)


def post(key: str, debit: str, credit: str, amount: int, *, reason: str, at: datetime, currency: str = "RUB") -> None:
    """Post one movement between system accounts."""
    ledger.post([ledger.Entry(key, debit, credit, amount, currency, reason, at)])
