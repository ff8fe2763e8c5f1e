"""What a gateway has on record: its pages, money, refunds and disputes, in kopecks. No test lives here."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from payments.gateways.stripe.webhooks import TYPES


@dataclass
class Money:
    """What has become of one payment, or of several together."""

    captured: int = 0
    refunded: int = 0
    # What the customer's bank has taken back, without what it has returned.
    disputed: int = 0
    fee: int = 0

    @property
    def left(self) -> int:
        return self.captured - self.refunded - self.disputed


@dataclass
class Books:
    """Money, pages and refunds of a gateway, by our public ids. Each payment with money is in `money`."""

    money: dict[str, Money] = field(default_factory=lambda: defaultdict(Money))
    pages: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    # The states of the refunds that were made with one of our ids.
    refunds: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def total(self) -> Money:
        """Return the sums over all payments."""
        return total_of(self.money)


class Records(Protocol):
    """The records of one gateway. All ids but those in `books` are the gateway's."""

    def is_open(self, gateway_id: str) -> bool:
        """Tell whether the page can still be paid."""
        ...

    def refunds(self) -> list[tuple[str, str]]:
        """Return id and state of each refund."""
        ...

    def open_disputes(self) -> list[str]:
        """Return the disputes that nobody has decided yet."""
        ...

    def new_webhooks(self) -> Iterator[bytes]:
        """Yield the webhooks to which sellers subscribe, each once."""
        ...

    def books(self) -> Books:
        """Return everything."""
        ...


class StripeRecords:
    """The records of a fake Stripe."""

    def __init__(self, fake: Any) -> None:
        self.fake, self.account = fake, fake.account

    def is_open(self, gateway_id: str) -> bool:
        self.account.expire_due()
        return bool(self.account.objects[gateway_id]["status"] == "open")

    def refunds(self) -> list[tuple[str, str]]:
        return [(each["id"], each["status"]) for each in self.account.all("refund")]

    def open_disputes(self) -> list[str]:
        return [each["id"] for each in self.account.all("dispute") if each["status"] == "needs_response"]

    def new_webhooks(self) -> Iterator[bytes]:
        for body in _taken(self.fake):
            if any(b'"type": "' + word.encode() in body for word in TYPES):
                yield body

    def books(self) -> Books:
        books, objects = Books(), self.account.objects
        for session in self.account.all("checkout.session"):
            books.pages[session["client_reference_id"]] += 1
        charges = self.account.all("charge")
        payment_of = {each["id"]: each["metadata"]["payment"] for each in charges}
        for charge in charges:
            if charge["paid"]:
                money = books.money[payment_of[charge["id"]]]
                money.captured += charge["amount_captured"]
                money.fee += objects[charge["balance_transaction"]]["fee"]
        for refund in self.account.all("refund"):
            state = _refund_state(refund["status"])
            books.money[payment_of[refund["charge"]]].refunded += refund["amount"] * (state != "failed")
            books.refunds[refund["metadata"]["refund"]].append(state)
        for dispute in self.account.all("dispute"):
            money = books.money[payment_of[dispute["charge"]]]
            money.disputed -= sum(entry["amount"] for entry in dispute["balance_transactions"])
            money.fee += sum(entry["fee"] for entry in dispute["balance_transactions"])
        self._check_balance(books.total())
        return books

    def _check_balance(self, total: Money) -> None:
        """Check that the account's balance is made of the same sums."""
        entries = self.account.money().get("rub", {})
        sums = [entries.get(kind, 0) for kind in ("charge", "refund", "adjustment", "fees")]
        assert sums == [total.captured, -total.refunded, -total.disputed, total.fee]


class YooKassaRecords:
    """The records of a fake YooKassa, which has no disputes."""

    def __init__(self, fake: Any) -> None:
        self.fake, self.shop = fake, fake.shop

    def is_open(self, gateway_id: str) -> bool:
        self.shop.expire_old()
        return bool(self.shop.payments[gateway_id]["status"] == "pending")

    def refunds(self) -> list[tuple[str, str]]:
        return [(each["id"], each["status"]) for each in self.shop.refunds.values()]

    def open_disputes(self) -> list[str]:
        return []

    def new_webhooks(self) -> Iterator[bytes]:
        yield from _taken(self.fake)

    def books(self) -> Books:
        books = Books()
        payment_of = {name: each["metadata"]["payment_id"] for name, each in self.shop.payments.items()}
        for name, payment in self.shop.payments.items():
            books.pages[payment_of[name]] += 1
            if payment["status"] == "succeeded":
                money = books.money[payment_of[name]]
                money.captured += _kopecks(payment["amount"])
                money.fee += _kopecks(payment["amount"]) - _kopecks(payment["income_amount"])
        for refund in self.shop.refunds.values():
            state = _refund_state(refund["status"])
            books.money[payment_of[refund["payment_id"]]].refunded += _kopecks(refund["amount"]) * (state != "failed")
            books.refunds[refund["metadata"]["refund_id"]].append(state)
        return books


RECORDS: dict[str, Callable[[Any], Records]] = {"stripe": StripeRecords, "yookassa": YooKassaRecords}


def total_of(money: dict[str, Money]) -> Money:
    """Return the sums over all payments."""
    rows = money.values()
    return Money(
        sum(each.captured for each in rows), sum(each.refunded for each in rows),
        sum(each.disputed for each in rows), sum(each.fee for each in rows),
    )  # fmt: skip


def _taken(fake: Any) -> list[bytes]:
    """Take the webhooks that the fake has recorded, and return their bodies."""
    bodies = [each.body for each in fake.webhooks.deliveries]
    fake.webhooks.deliveries.clear()
    return bodies


def _refund_state(status: str) -> str:
    return "failed" if status in ("failed", "canceled") else status


def _kopecks(amount: dict[str, str]) -> int:
    return int(Decimal(amount["value"]) * 100)
