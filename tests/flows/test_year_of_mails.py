"""A year of one customer: exactly the mails that a person would want, each with its reason."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import User
from events.mails import delivery, fan_out
from events.models import Mail
from payments import checkout, confirmation, expiring_cards, refunds
from payments.gateways.sandbox import sessions
from payments.gateways.sandbox.models import SandboxSession
from payments.gateways.sandbox.outcomes import ON_THE_PAGE
from payments.models import Payment
from subscriptions import billing_run, books, orders, reminders
from subscriptions.models import BillingClock, Subscription
from tests.events.mails.post import PATH, Post
from tests.subscriptions.shop import sell

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

DAY = timedelta(days=1)


def on(month: int, day: int, hour: int = 12) -> datetime:
    return datetime(2025, month, day, hour, tzinfo=UTC)


# What came by mail: the day, the kind, and why the customer wants it. Nothing else came in this year.
WANTED = [
    ("01-01", "receipt", "paid 990 for Basic"),
    ("01-29", "renewal_ahead", "the balance is empty; no low-balance notice says the same"),
    ("01-30", "receipt", "topped up 990, which pays the renewal of 1 February: no other mail about that money"),
    ("02-10", "receipt", "topped up 3000"),
    ("02-26", "renewal_ahead", "the balance is enough"),
    ("03-01", "renewed", "990 of the balance"),
    ("03-29", "renewal_ahead", "the balance is enough"),
    ("04-01", "renewed", "990 of the balance; the server, started on 10 April by a click, needs no mail"),
    ("04-19", "low_balance", "1020 last 283 h 20 min at 3.60 an hour: until 22 April, 07:20"),
    ("04-21", "low_balance", "24 hours before"),
    ("04-22", "low_balance", "an hour before"),
    ("04-22", "suspended", "the server has stopped"),
    ("04-24", "receipt", "topped up 2500; it says that the server runs again"),
    ("04-28", "renewal_ahead", "Basic, and the balance is enough"),
    ("05-01", "renewed", "990 of the balance"),
    ("05-03", "receipt", "topped up 9000"),
    ("05-05", "plan_changed", "Basic to Pro, with what came back and what was charged"),
    ("06-02", "renewal_ahead", "Pro on 5 June"),
    ("06-05", "renewed", "1990 of the balance"),
    ("06-10", "cancelled", "the server, at once"),
    ("06-15", "plan_changed", "Pro changes to Basic on 5 July"),
    ("07-02", "renewal_ahead", "Basic on 5 July"),
    ("07-05", "plan_changed", "Basic since today, and its 990"),
    ("07-20", "refunded", "500 back to the card"),
    ("08-02", "renewal_ahead", "the balance is enough"),
    ("08-05", "renewed", "990 of the balance"),
    ("08-20", "payment_failed", "a top-up that the bank declined"),
    ("08-21", "receipt", "topped up 2000"),
    ("09-02", "renewal_ahead", "the balance is enough"),
    ("09-05", "renewed", "990 of the balance"),
    ("10-02", "renewal_ahead", "the balance is enough"),
    ("10-05", "renewed", "990 of the balance"),
    ("10-10", "cancelled", "Basic ends on 5 November; on that day nothing new is to say"),
    ("11-24", "order_given_up", "an order of 10 November that was never paid"),
]


class Year:
    """Moves the clock: runs everything that the scheduler runs, and notes which mails were sent when."""

    def __init__(self, customer: User) -> None:
        self.customer = customer
        self.now = on(1, 1)
        self.came: list[tuple[str, str]] = []

    def until(self, moment: datetime) -> None:
        """Go to the moment, stopping once a day and whenever a book is due."""
        while self.now < moment:
            due = BillingClock.objects.values_list("due_at", flat=True).order_by("due_at").first()
            tomorrow = self.now.replace(hour=12, minute=0, second=0, microsecond=0) + DAY
            self.now = min([moment, tomorrow, *([max(due, self.now)] if due else [])])
            self.run()

    def run(self) -> None:
        billing_run.run_due(now=self.now)
        reminders.run_due(now=self.now)
        expiring_cards.run_due(now=self.now)
        fan_out.run(now=self.now)
        before = set(Mail.objects.filter(state="sent").values_list("pk", flat=True))
        # At most 50 seconds of a run pass, so that nothing that was made just now is late.
        delivery.run(now=self.now)
        sent = Mail.objects.filter(state="sent").exclude(pk__in=before).order_by("pk")
        self.came += [(f"{self.now:%m-%d}", mail.kind) for mail in sent]

    def act(self, moment: datetime, act: Callable[[], object]) -> None:
        self.until(moment)
        act()
        self.run()

    def pay(self, moment: datetime, *, outcome: str = "succeeds", **what: object) -> Payment:
        self.until(moment)
        payment = checkout.start(self.customer, now=moment, currency="RUB", gateway="sandbox", **what)  # type: ignore[arg-type]
        assert payment.gateway_id is not None
        choice = ON_THE_PAGE[outcome]
        sessions.choose(payment.gateway_id, choice, expected=SandboxSession.Status.OPEN, now=moment)
        payment = confirmation.confirm(payment.pk, now=moment)
        self.run()
        return payment


def test_a_year_has_exactly_the_mails_that_a_person_wants(alice, settings):
    settings.MAIL_BACKEND = PATH
    settings.BILLING_METER_EVERY = DAY
    Post.taken, Post.is_down, Post.refuses, Post.breaks_off = [], False, {}, False
    basic, pro = (sell(code, RUB=amount)["RUB"] for code, amount in (("basic", 990_00), ("pro", 1990_00)))
    server = sell("server", RUB=3_60, interval="hour", metered=True)["RUB"]
    annual = sell("annual", RUB=9900_00, interval="year")["RUB"]
    year = Year(alice)

    def book(act: Callable[[books.OpenBook], object]) -> Callable[[], object]:
        def acted() -> None:
            with books.open(alice, "RUB", now=year.now) as opened:
                act(opened)

        return acted

    year.pay(on(1, 1), plan=basic.plan)
    plan = Subscription.objects.get()
    year.pay(on(1, 30), amount=990_00)
    year.pay(on(2, 10), amount=3000_00)
    year.act(on(4, 10), lambda: orders.subscribe(alice, server, now=year.now))
    machine = Subscription.objects.latest("pk")
    year.pay(on(4, 24), amount=2500_00)
    paid = year.pay(on(5, 3), amount=9000_00)
    year.act(on(5, 5), book(lambda opened: opened.change_plan(plan, pro)))
    year.act(on(6, 10), book(lambda opened: opened.cancel(machine)))
    year.act(on(6, 15), book(lambda opened: opened.change_plan(plan, basic, when="period_end")))
    year.act(on(7, 20), lambda: refunds.issue(paid, now=year.now, amount=500_00))
    year.pay(on(8, 20), amount=2000_00, outcome="insufficient_funds")
    year.pay(on(8, 21), amount=2000_00)
    year.act(on(10, 10), book(lambda opened: opened.cancel(plan)))
    year.act(on(11, 10), book(lambda opened: opened.subscribe(annual, is_checkout=True)))
    year.until(on(12, 31))

    assert year.came == [(day, kind) for day, kind, _why in WANTED]
    assert not Mail.objects.filter(state__in=("waiting", "parked")).exists()
