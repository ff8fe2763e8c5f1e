"""A customer with everything that pages can show, in the ugliest form: long names, the largest sums, many rows."""

from datetime import datetime, timedelta
from typing import NamedTuple

from accounts.models import User
from ledger.models import Transaction
from payments import checkout, confirmation
from payments.collection import consents, top_ups
from payments.gateways.sandbox import sessions
from payments.gateways.sandbox.models import SandboxSession
from payments.gateways.sandbox.outcomes import ON_THE_PAGE
from payments.models import Payment, PaymentMethod
from subscriptions import books, catalogue, orders
from subscriptions.models import Plan, Subscription
from tests.subscriptions.shop import pay_in

WORD = "Konstantinopolitanskaya-Wolfeschlegelsteinhausenbergerdorff"
RUSSIAN_WORD = "Превысокомногорассмотрительствующий-Водогрязеторфопарафинолечебный"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
UGLY = {
    "email": f"{WORD.lower()}.von.und.zu@accounts.receivable.llanfairpwllgwyngyllgogerychwyrndrobwll.example.com",
    "first_name": f"{WORD} {WORD} von"[:150],
    "company": WORD * 3,
    "address": WORD * 5,
    "tax_id": "9" * 50,
}
# Pages that every customer has.
PLAIN = [
    "/account/", "/account/transactions/", "/account/payments/", "/account/statements/", "/account/settings/",
    "/account/automatic-payments/",
    "/account/automatic-payments/top-up/?currency=RUB", "/topup/?currency=RUB&amount=99999.99",
    "/pricing/?currency=RUB", "/checkout/standard/?currency=RUB&periods=3&quantity=1000",
    "/reauthenticate/?next=/email/",
    "/password/change/", "/2fa/",
]  # fmt: skip


class Rich(NamedTuple):
    """The addresses of the customer's own pages, beside PLAIN."""

    own: list[str]


def make(customer: User, *, now: datetime) -> Rich:
    """Give the customer 100 charges, subscriptions in every status, payments in many, a card and rules for it.

    Needs the demo's plans on sale and the sandbox. The largest sum is 999,999,999.99.
    """
    User.objects.filter(pk=customer.pk).update(**UGLY)
    Plan.objects.filter(code="standard").update(name=WORD, name_ru=RUSSIAN_WORD, description_ru=RUSSIAN_WORD * 3)
    then = now - 40 * DAY
    pay_in(customer, 999_999_999_99, at=then)
    pay_in(customer, 60_00, "EUR", at=then)
    held = {
        (code, currency): orders.subscribe(customer, catalogue.current(code, currency), now=then)
        for code, currency in (
            ("standard", "RUB"), ("hourly", "RUB"), ("basic", "RUB"), ("premium", "RUB"), ("hourly", "EUR"),
            ("basic", "EUR"),
        )
    }  # fmt: skip
    for hour in range(1, 101):
        with books.open(customer, "RUB", now=then + hour * HOUR):
            pass
    paused, cancelled = held["hourly", "EUR"], held["basic", "RUB"]
    orders.change(paused, now=now - DAY, act=lambda book: book.pause(paused))
    orders.change(cancelled, now=now - DAY, act=lambda book: book.cancel(cancelled, when="now", refund_unused=True))
    method = PaymentMethod.objects.create(
        customer=customer, gateway="sandbox", gateway_id="card_1", brand=WORD[:20], last4="4242", created_at=then
    )
    numbers = {"threshold": 99_999_999, "amount": 99_999_999, "cap": 9_999_999_99}
    top_ups.turn_on(method, "RUB", address=None, now=then, **numbers)
    consents.agree_to_renewals(method, address=None, now=then)
    received = checkout.start(customer, now=now, amount=5_000_00, currency="RUB", gateway="sandbox")
    assert received.gateway_id is not None
    choice = ON_THE_PAGE["succeeds"]
    sessions.choose(received.gateway_id, choice, expected=SandboxSession.Status.OPEN, now=now)
    confirmation.confirm(received.pk, now=now)
    checkout.start(customer, now=now, plan="basic", currency="EUR", gateway="sandbox")
    parked = checkout.start(
        customer, now=now, amount=999_999_99, currency="RUB", gateway="sandbox", description=WORD * 2
    )
    Payment.objects.filter(pk=parked.pk).update(status="unknown", parked_reason="took 1 EUR")
    return Rich(_own_pages(customer, held["standard", "RUB"], held["hourly", "RUB"], then))


def _own_pages(customer: User, plan: Subscription, meter: Subscription, then: datetime) -> list[str]:
    of_plan, of_meter = (f"/account/subscriptions/{row.public_id}/" for row in (plan, meter))
    refund = Transaction.objects.filter(customer=customer, reason="unused_refund").latest("id").pk
    charge = Transaction.objects.filter(customer=customer, reason="charge").latest("id").pk
    payments = Payment.objects.filter(customer=customer).order_by("pk")
    return [
        of_plan, f"{of_plan}cancel/", f"{of_plan}change/", f"{of_plan}quantity/",
        of_meter, f"{of_meter}?day={then + DAY:%Y-%m-%d}",
        f"{of_meter}pause/", f"/account/transactions/txn_{refund}/", f"/account/transactions/txn_{charge}/",
        f"/account/statements/RUB/{then:%Y-%m}/", f"/pay/{payments[0].public_id}/receipt/",
        *(f"/pay/{payment.public_id}/" for payment in payments),
    ]  # fmt: skip
