"""The history of the demo, played through the functions that clicks and webhooks call, at instants in the past.

No row is written directly, so `check_ledger` is as clean on the demo as anywhere.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction

from accounts import registration
from accounts.models import User
from billing_site.demo import logins, plans
from billing_site.demo.logins import Login
from payments import checkout, confirmation
from payments.gateways.sandbox import sessions
from payments.gateways.sandbox.models import SandboxSession
from payments.gateways.sandbox.outcomes import ON_THE_PAGE
from payments.models import Payment
from subscriptions import books, catalogue, orders
from subscriptions.models import Plan, Subscription


def seed(*, now: datetime) -> bool:
    """Create the demo data up to `now`, in one transaction. Return False if it exists already."""
    if Plan.objects.filter(code="basic").exists() or User.objects.filter(username=logins.ANNA.username).exists():
        return False
    with transaction.atomic():
        plans.put_on_sale(now=now - timedelta(days=100))
        _staff(now=now - timedelta(days=100))
        _anna(now)
        _boris(now)
    return True


def _anna(now: datetime) -> None:
    """Anna upgrades from Basic to Standard, rents a server for nine days, then another, and cancels one plan."""
    anna = Customer.sign_up(logins.ANNA, "en", now - timedelta(days=96))
    plan = anna.buys("basic", "RUB", now - timedelta(days=95))
    anna.tops_up(1500_00, "RUB", now - timedelta(days=94))
    anna.changes_to(plan, "standard", now - timedelta(days=50))
    anna.tops_up(20_00, "EUR", now - timedelta(days=30))
    anna.subscribes("hourly", "EUR", now - timedelta(days=30))
    anna.tops_up(2000_00, "RUB", now - timedelta(days=23), outcome="insufficient_funds")
    anna.tops_up(2000_00, "RUB", now - timedelta(days=22, hours=23))
    server = anna.subscribes("hourly", "RUB", now - timedelta(days=15))
    leaving = anna.buys("basic", "EUR", now - timedelta(days=10))
    anna.cancels(server, now - timedelta(days=6))
    anna.cancels(leaving, now - timedelta(days=2))
    anna.settles(now)


def _boris(now: datetime) -> None:
    """Boris pays once, cannot pay the renewal, cancels a top-up on the gateway's page, and tries Premium."""
    boris = Customer.sign_up(logins.BORIS, "ru", now - timedelta(days=46))
    boris.buys("standard", "RUB", now - timedelta(days=45))
    boris.tops_up(1000_00, "RUB", now - timedelta(days=5), outcome="cancel")
    boris.subscribes("premium", "EUR", now - timedelta(days=2))
    boris.settles(now)


def _staff(*, now: datetime) -> None:
    """Create a superuser, and a member of staff for each role that has a log-in."""
    _register(logins.ADMIN, now=now, is_staff=True, is_superuser=True)
    for role, login in logins.ROLES.items():
        _register(login, now=now, is_staff=True).groups.add(Group.objects.get_or_create(name=role)[0])


@dataclass(frozen=True)
class Customer:
    """A customer of the demo. Each method is one action at one instant."""

    user: User

    @classmethod
    def sign_up(cls, login: Login, language: str, at: datetime) -> "Customer":
        return cls(_register(login, now=at, language=language))

    def tops_up(self, amount: int, currency: str, at: datetime, outcome: str = "succeeds") -> None:
        """Pay into the wallet; `outcome` is a choice on the sandbox's page."""
        self._pays(at, outcome, amount=amount, currency=currency)

    def buys(self, plan: str, currency: str, at: datetime) -> Subscription:
        """Pay for a plan on the gateway's page."""
        payment = self._pays(at, "succeeds", plan=plan, currency=currency)
        assert payment.subscription is not None
        return payment.subscription

    def subscribes(self, plan: str, currency: str, at: datetime) -> Subscription:
        """Start a plan, paid from the wallet."""
        return orders.subscribe(self.user, catalogue.current(plan, currency), now=at)

    def changes_to(self, subscription: Subscription, plan: str, at: datetime) -> None:
        price = catalogue.current(plan, subscription.price.currency)
        orders.change(subscription, now=at, act=lambda book: book.change_plan(subscription, price))

    def cancels(self, subscription: Subscription, at: datetime) -> None:
        orders.change(subscription, now=at, act=lambda book: book.cancel(subscription))

    def settles(self, now: datetime) -> None:
        """Settle every book of the customer up to now, as the billing run would have done."""
        for currency in ("RUB", "EUR"):
            with books.open(self.user, currency, now=now):
                pass

    def _pays(self, at: datetime, outcome: str, **order: Any) -> Payment:
        payment = checkout.start(self.user, now=at, gateway="sandbox", **order)
        assert payment.gateway_id is not None
        a_minute_later = at + timedelta(minutes=1)
        choice = ON_THE_PAGE[outcome]
        sessions.choose(payment.gateway_id, choice, expected=SandboxSession.Status.OPEN, now=a_minute_later)
        return confirmation.confirm(payment.pk, now=a_minute_later)


def _register(login: Login, *, now: datetime, language: str = "en", **rights: bool) -> User:
    user = registration.register(
        username=login.username, email=f"{login.username}@demo.test", password=login.password, language=language
    )
    User.objects.filter(pk=user.pk).update(date_joined=now, **rights)
    user.refresh_from_db()
    return user
