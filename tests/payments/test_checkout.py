"""The amount of a checkout, its refusals, and failures of the gateway."""

from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone
from django.utils.translation import override

from accounts.models import User
from core.errors import DomainError, Unavailable
from payments import amounts, confirmation
from payments.gateways.sandbox.gateway import Sandbox
from payments.gateways.sandbox.models import SandboxSession
from payments.models import Payment
from payments.sessions import GatewayRefused
from subscriptions import books, orders
from subscriptions.catalogue import PlanNotSoldInCurrency
from subscriptions.models import Price, Subscription
from tests.payments.checkouts import start, top_up
from tests.payments.faulty_gateway import EUROS, Unsteady
from tests.payments.rows import balance
from tests.subscriptions.shop import sell


def test_the_server_calculates_the_amount(alice: User, basic: Price) -> None:
    payment = start(alice, plan="basic", periods=3, quantity=2)
    # 990.00 x 3 months x 2 = 5940.00
    assert (payment.amount, payment.currency, payment.status) == (5940_00, "RUB", "pending")
    assert payment.plan == basic.plan
    assert payment.confirmation_url.endswith(f"/sandbox/pay/{payment.gateway_id}/")
    session = SandboxSession.objects.get()
    assert (session.amount, session.currency, session.idempotency_key) == (5940_00, "RUB", payment.public_id)


def test_a_metered_plan_is_paid_in_advance_for_its_periods(alice: User, hourly: Price) -> None:
    # 3.60 an hour, for 30 hours: 108.00
    payment = start(alice, plan="hourly", periods=30)
    assert payment.amount == 108_00
    # The hours are not stored as periods, and the same amount is due if the subscription is paid for again.
    subscription = payment.subscription
    assert subscription is not None
    assert subscription.periods == 1
    reloaded = Subscription.objects.get(pk=subscription.pk)
    assert amounts.for_subscription(reloaded, now=timezone.now()).money.amount == 108_00


def test_a_payment_is_raised_to_what_gateways_take(alice: User, hourly: Price) -> None:
    """24 hours at 3.60 are 86.40, and the smallest payment is 100.00. The rest stays on the balance."""
    payment = start(alice, plan="hourly", periods=24)
    assert (payment.amount, payment.order_amount) == (100_00, 86_40)
    assert payment.subscription is not None
    assert amounts.for_subscription(payment.subscription, now=timezone.now()).money.amount == 100_00


def test_a_checkout_asks_for_the_debt_too(alice: User, basic: Price) -> None:
    with books.open(alice, "RUB", now=timezone.now()) as book:
        book.lose_dispute(50_00, key="dispute:1")
    payment = start(alice, plan="basic")
    # 990.00 + 50.00
    assert (payment.amount, payment.order_amount) == (1040_00, 990_00)
    assert payment.subscription is not None
    assert amounts.for_subscription(payment.subscription, now=timezone.now()).money.amount == 1040_00


def test_a_plan_gives_no_trial_while_there_is_a_debt_or_for_many(alice: User, mallory: User) -> None:
    sell("trial", RUB=500_00, trial_days=14)
    # 11 x 500.00: a trial is given for 10 at most.
    assert start(mallory, plan="trial", quantity=11).amount == 5500_00
    with books.open(alice, "RUB", now=timezone.now()) as book:
        book.lose_dispute(50_00, key="dispute:1")
    assert start(alice, plan="trial").amount == 550_00


def test_prepaid_hours_do_not_become_months_of_another_plan(alice: User, basic: Price, hourly: Price) -> None:
    top_up(alice, 5000_00)
    subscription = orders.subscribe(alice, hourly, now=timezone.now(), periods=720)
    with books.open(alice, "RUB", now=timezone.now()) as book:
        book.change_plan(subscription, basic)
    # 990.00 for one month.
    subscription.refresh_from_db()
    assert (subscription.periods, subscription.period_paid) == (1, 990_00)


def test_the_subscription_stays_pending_even_if_the_wallet_could_pay(alice: User, basic: Price) -> None:
    top_up(alice, 5000_00)
    payment = start(alice, plan="basic")
    assert payment.subscription is not None
    assert payment.subscription.status == "pending"
    assert payment.opened_subscription
    assert balance(alice) == 5000_00


@pytest.mark.parametrize(("amount", "currency"), [(989_99, "RUB"), (990_01, "RUB"), (0, "RUB"), (-990_00, "RUB")])
def test_an_amount_other_than_the_price_is_refused(alice: User, basic: Price, amount: int, currency: str) -> None:
    with pytest.raises(amounts.AmountMismatch, match=r"The amount due is 990\.00 RUB. You sent") as caught:
        start(alice, plan="basic", amount=amount, currency=currency)
    assert caught.value.extra["due"] == {"value": "990.00", "currency": "RUB"}
    assert not Payment.objects.exists()
    assert not Subscription.objects.exists()


def test_the_right_price_is_accepted(alice: User, basic: Price) -> None:
    assert start(alice, plan="basic", amount=990_00, currency="RUB").amount == 990_00


def test_a_currency_the_plan_is_not_sold_in_is_refused(alice: User, basic: Price) -> None:
    with pytest.raises(PlanNotSoldInCurrency):
        start(alice, plan="basic", currency="EUR")


def test_a_free_plan_needs_no_checkout(alice: User) -> None:
    sell("free", RUB=0)
    with pytest.raises(amounts.NothingToPay):
        start(alice, plan="free")
    assert not Payment.objects.exists()


def test_a_first_trial_needs_no_checkout(alice: User, mallory: User) -> None:
    price = sell("trial", RUB=500_00, EUR=5_00, trial_days=14)["RUB"]
    with pytest.raises(amounts.NothingToPay, match="free trial of 14 days"):
        start(alice, plan="trial", currency="RUB")
    orders.subscribe(alice, price, now=timezone.now())
    # A customer gets one trial, in whatever currency.
    assert start(alice, plan="trial", currency="EUR").amount == 5_00
    with pytest.raises(amounts.NothingToPay):
        start(mallory, plan="trial", currency="EUR")


@pytest.mark.parametrize("amount", [-1, 0, 99_99, 1_000_000_01])
def test_a_top_up_outside_the_limits_is_refused_and_the_error_names_them(alice: User, amount: int) -> None:
    with pytest.raises(amounts.AmountOutOfRange, match=r"100\.00 RUB to 1000000\.00 RUB"):
        start(alice, amount=amount, currency="RUB")


def test_a_top_up_in_a_currency_that_no_gateway_takes_is_refused(alice: User, settings: Any) -> None:
    settings.GATEWAY_CLASSES, settings.PAYMENT_GATEWAYS = {"euros": EUROS}, ["euros"]
    with pytest.raises(amounts.CurrencyNotTaken, match=r"You can top up in EUR\. You sent KWD\."):
        start(alice, amount=100_00, currency="KWD")
    assert not Payment.objects.exists()


def test_the_same_form_continues_a_payment_the_gateway_did_not_answer(
    alice: User, basic: Price, unsteady: type[Unsteady]
) -> None:
    unsteady.break_before = 1
    with pytest.raises(Unavailable, match="same Idempotency-Key"):
        start(alice, plan="basic", idempotency_key="form-1")
    payment = Payment.objects.get()
    assert (payment.status, payment.gateway_id) == ("unknown", None)
    assert payment.check_at is not None
    again = start(alice, plan="basic", idempotency_key="form-1")
    assert (again.pk, again.status) == (payment.pk, "pending")
    assert again.confirmation_url


def test_a_lost_answer_does_not_open_a_second_page(alice: User, basic: Price, unsteady: type[Unsteady]) -> None:
    unsteady.break_after = 1
    with pytest.raises(Unavailable):
        start(alice, plan="basic", idempotency_key="form-1")
    payment = start(alice, plan="basic", idempotency_key="form-1")
    assert SandboxSession.objects.get().session_id == payment.gateway_id


def test_a_refusal_by_the_gateway_fails_the_payment_and_leaves_the_order_waiting(
    alice: User, basic: Price, unsteady: type[Unsteady]
) -> None:
    unsteady.refuse = True
    with pytest.raises(GatewayRefused):
        start(alice, plan="basic")
    payment = Payment.objects.get()
    assert (payment.status, payment.failure_code) == ("failed", "gateway_refused")
    assert Subscription.objects.get().status == "pending"


@pytest.mark.django_db(transaction=True)
def test_the_gateway_is_never_called_with_a_transaction_open(
    alice: User, basic: Price, unsteady: type[Unsteady]
) -> None:
    payment = start(alice, plan="basic")
    confirmation.confirm(payment.pk, now=timezone.now())
    assert unsteady.in_transaction == [False, False]


def test_paying_for_another_customers_subscription_raises_value_error(alice: User, mallory: User, basic: Price) -> None:
    first = start(alice, plan="basic")
    with pytest.raises(ValueError, match="does not belong to customer"):
        start(mallory, subscription=first.subscription)


@pytest.mark.parametrize("field", ["quantity", "periods"])
@pytest.mark.parametrize("number", [-1, 0, 10**9])
def test_absurd_numbers_are_refused(alice: User, basic: Price, field: str, number: int) -> None:
    with pytest.raises(DomainError):
        start(alice, plan="basic", **{field: number})
    assert not Payment.objects.exists()


def test_the_return_url_is_in_the_language_of_the_page(alice: User, settings: Any) -> None:
    with override("ru"):
        payment = start(alice, amount=100_00, currency="RUB")
    assert SandboxSession.objects.get().return_url == f"{settings.SITE_URL}/ru/pay/{payment.public_id}/"


# A real address of Stripe has 525 characters; its API says up to 5000.
@pytest.mark.parametrize("length", [525, 5000])
def test_a_page_address_of_any_real_length_is_kept(alice: User, monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    address = "https://checkout.stripe.com/c/pay/cs_live_1#".ljust(length, "f")
    answer_with(monkeypatch, confirmation_url=address)
    payment = start(alice, amount=100_00, currency="RUB")
    assert (payment.status, Payment.objects.get().confirmation_url) == ("pending", address)


def test_a_page_whose_address_no_browser_takes_is_not_lost(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has its id, so the payment is checked, expires and can be cancelled; nobody is sent to the address."""
    answer_with(monkeypatch, confirmation_url="javascript:pay()")
    payment = start(alice, amount=100_00, currency="RUB")
    assert (payment.status, payment.confirmation_url) == ("pending", "")
    assert payment.gateway_id == SandboxSession.objects.get().session_id


def answer_with(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """Let the sandbox open pages with another address."""
    plain = Sandbox.create_session
    monkeypatch.setattr(Sandbox, "create_session", lambda self, request: replace(plain(self, request), **changes))
