"""The mails about failed payments, refunds, disputes and cards, in both languages."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from accounts.models import User
from events import outbox
from events.mails import kinds
from events.models import Event
from ledger import display
from ledger.money import Money
from payments import cancellation_refunds, checkout, confirmation, disputes, expiring_cards, refunds
from payments.collection import consents
from payments.gateways.aftermath import DisputeSnapshot, DisputeState
from payments.gateways.sandbox import sessions
from payments.gateways.sandbox.models import SandboxSession
from payments.gateways.sandbox.outcomes import ON_THE_PAGE
from payments.models import Payment, PaymentMethod, Refund
from payments.transitions import Status
from subscriptions import orders
from tests.concurrency.sessions import at_once
from tests.letters import letter_of, lines, status_of, told
from tests.subscriptions.bank import NOON, at
from tests.subscriptions.shop import pay_in, sell

Pay = Callable[..., Payment]


@pytest.fixture
def pay(alice: User) -> Pay:
    """Return a function that pays at the sandbox a minute after noon of 1 March 2026."""

    def pay(*, outcome: str = "succeeds", moment: datetime = NOON, **what: object) -> Payment:
        payment = checkout.start(alice, now=moment, currency="RUB", gateway="sandbox", **what)  # type: ignore[arg-type]
        assert payment.gateway_id is not None
        choice, later = ON_THE_PAGE[outcome], moment + timedelta(minutes=1)
        sessions.choose(payment.gateway_id, choice, expected=SandboxSession.Status.OPEN, now=later)
        return confirmation.confirm(payment.pk, now=later)

    return pay


def russian() -> None:
    User.objects.update(language="ru", time_zone="Europe/Moscow")


def test_a_receipt_says_what_the_money_started_and_resumed(alice, pay):
    price = sell("team", RUB=500_00)["RUB"]
    pay(plan=price.plan)
    assert lines(told("receipt", now=at(minutes=2)))[2:6] == [
        "Team: ₽500.00",
        "Paid with: Test payment page",
        "Date: 1 March 2026, 12:01\u00a0UTC",
        "Started: Team",
    ]
    russian()
    assert "Подключено: Team" in lines(told("receipt", now=at(minutes=2)))


def test_a_cancellation_says_what_goes_to_the_card(alice, pay):
    payment = pay(plan=sell("team", RUB=500_00)["RUB"].plan)
    done = cancellation_refunds.cancel(payment.subscription, now=at(minutes=3))
    amount = display.money(done.to_card)
    said = lines(told("cancelled", now=at(minutes=4)))[1]
    assert f"We are refunding {amount} for unused time to the card or account you paid from." in said
    assert "back on your balance" not in said


def test_a_failed_payment_in_english_and_russian(alice, pay):
    payment = pay(amount=500_00, outcome="insufficient_funds")
    letter = told("payment_failed", now=at(minutes=2))
    assert letter.subject == "Payment failed: ₽500.00, Top-up"
    assert lines(letter) == [
        "Hello alice,",
        (
            "The payment of ₽500.00 did not go through. There was not enough money on the card. "
            "Try another card, or pay again later."
        ),
        "Date: 1 March 2026, 12:01\u00a0UTC",
        f"Reference: {payment.public_id}",
        "Try again: http://127.0.0.1:8000/topup/?currency=RUB",
    ]
    russian()
    letter = told("payment_failed", now=at(minutes=2))
    assert letter.subject == "Платёж не прошёл: 500,00\u00a0₽, Пополнение"
    assert "Дата: 1 марта 2026\u00a0г., 15:01\u00a0MSK" in lines(letter)
    pay(amount=600_00, moment=at(minutes=5))
    assert letter_of("payment_failed", now=at(minutes=7)) is None


def test_a_failed_automatic_payment_is_told_once_with_the_next_try(alice, pay):
    payment = pay(amount=500_00, outcome="insufficient_funds")
    data = {"payment": payment.public_id, "next_at": at(days=1).isoformat()}
    outbox.record([(alice.pk, "collection.declined", "col_1", at(minutes=2), data)])
    letter = told("payment_failed", now=at(minutes=3))
    assert "We try again on 2 March 2026, 12:00\u00a0UTC." in lines(letter)[1]
    assert lines(letter)[-1].startswith("Pay now: ")
    # The failure itself is left to that mail.
    failure, declined = Event.objects.filter(type__in=("payment.failed", "collection.declined")).order_by("pk")
    failure.data["collection"] = "col_1"
    assert kinds.get("payment_failed").choose([failure, declined]) == [declined]
    russian()
    assert (
        "Следующая попытка: 2 марта 2026\u00a0г., 15:00\u00a0MSK."
        in lines(told("payment_failed", now=at(minutes=3)))[1]
    )


@pytest.mark.parametrize("kind", ["collection.authentication_required", "collection.action_required"])
def test_a_bank_that_asks_in_english_and_russian(alice, kind):
    payment = checkout.start(alice, now=NOON, amount=500_00, currency="RUB", gateway="sandbox")
    data = {"payment": payment.public_id, "amount": {"value": "500.00", "currency": "RUB"}, "url": "x"}
    outbox.record([(alice.pk, kind, "col_1", NOON, data)])
    letter = told("confirm_with_bank", now=at(minutes=1))
    assert letter.subject == "Confirm your payment of ₽500.00 with your bank"
    assert lines(letter) == [
        "Hello alice,",
        (
            "Your bank asks you to confirm this payment. Until then nothing is charged to your card. "
            "You can confirm it until 1 March 2026, 12:30\u00a0UTC."
        ),
        "Amount: ₽500.00",
        f"Reference: {payment.public_id}",
        f"Confirm the payment: http://127.0.0.1:8000/pay/{payment.public_id}/",
    ]
    russian()
    letter = told("confirm_with_bank", now=at(minutes=1))
    assert letter.subject == "Подтвердите в банке платёж на 500,00\u00a0₽"
    assert letter_of("confirm_with_bank", now=at(minutes=30)) is None
    Payment.objects.filter(pk=payment.pk).update(status=Status.CANCELLED)
    assert letter_of("confirm_with_bank", now=at(minutes=1)) is None


def test_a_refund_to_the_card_in_english_and_russian(alice, pay):
    payment = pay(amount=500_00)
    refund = refunds.issue(payment, now=at(hours=1), amount=200_00, reason="Too much")
    letter = told("refunded", now=at(hours=1))
    assert letter.subject == "₽200.00 is refunded to your payment method"
    assert lines(letter) == [
        "Hello alice,",
        "It goes back to where you paid from. Banks take up to 10 days to show it.",
        "Payment: Top-up",
        "Reason: Too much",
        "Date: 1 March 2026, 13:00\u00a0UTC",
        "Balance: ₽300.00",
        f"Reference: {refund.public_id}",
        f"See the payment: http://127.0.0.1:8000/pay/{payment.public_id}/",
    ]
    russian()
    assert told("refunded", now=at(hours=1)).subject == "Возврат на карту или счёт: 200,00\u00a0₽"


def test_a_refund_to_the_balance_in_english_and_russian(alice, pay):
    payment = pay(amount=500_00)
    refunds.issue(payment, now=at(hours=1), amount=200_00, destination=Refund.Destination.WALLET)
    letter = told("refunded", now=at(hours=1))
    assert letter.subject == "₽200.00 is refunded to your balance"
    assert lines(letter)[1] == "You can use it at once."
    assert "Balance: ₽700.00" in lines(letter)
    russian()
    letter = told("refunded", now=at(hours=1))
    assert (letter.subject, lines(letter)[1]) == ("Возврат на баланс: 200,00\u00a0₽", "Деньги уже доступны.")


def test_a_refund_that_did_not_arrive_in_english_and_russian(alice, pay):
    payment = pay(amount=500_00, outcome="refund_fails")
    refund = refunds.issue(payment, now=at(hours=1), amount=200_00)
    assert refund.status == Refund.Status.PENDING
    refunds.move(refunds.lock(refund.pk), Refund.Status.FAILED, now=at(hours=2))
    letter = told("refund_failed", now=at(hours=2))
    assert letter.subject == "The refund of ₽200.00 did not arrive"
    assert "Balance: ₽500.00" in lines(letter)
    assert kinds.get("refunded").compose([Event.objects.latest("pk")], alice, at(hours=2)) is None
    russian()
    assert told("refund_failed", now=at(hours=2)).subject == "Возврат на 200,00\u00a0₽ не дошёл"


def dispute(payment: Payment, state: DisputeState, moment: datetime) -> None:
    assert payment.gateway_id
    snapshot = DisputeSnapshot(
        gateway_id="dp_1", payment=payment.gateway_id, state=state, amount=500_00, currency="RUB", reason="fraudulent"
    )
    disputes.apply("sandbox", snapshot, now=moment)


def test_a_dispute_in_english_and_russian(alice, pay):
    payment = pay(amount=500_00)
    orders.subscribe(alice, sell("server", RUB=3_60, interval="hour", metered=True)["RUB"], now=at(hours=1))
    dispute(payment, DisputeState.OPEN, at(hours=11))
    letter = told("dispute", now=at(hours=11))
    assert (letter.subject, status_of(letter)) == ("Your payment of ₽500.00 is disputed", "Disputed")
    # Ten hours at 3.60 are used, so 464.00 are taken from the balance and 36.00 are owed.
    assert lines(letter) == [
        "Hello alice,",
        "Your bank took this payment back, so we took it from your balance. You owe ₽36.00. Top up to pay it.",
        "Payment: Top-up",
        "Balance: ₽0.00",
        "Debt: ₽36.00",
        f"Reference: {payment.public_id}",
        "Top up: http://127.0.0.1:8000/topup/?currency=RUB",
        "Was this a mistake? Write to us, and tell your bank.",
    ]
    assert letter_of("debt", now=at(hours=11)) is None
    russian()
    assert told("dispute", now=at(hours=11)).subject == "Платёж на 500,00\u00a0₽ оспорен"
    opened = Event.objects.get(type="dispute.opened")
    dispute(payment, DisputeState.WON, at(hours=12))
    letter = told("dispute", now=at(hours=12))
    assert (letter.subject, status_of(letter)) == ("Спор о платеже на 500,00\u00a0₽ завершён", "Возвращено")
    assert lines(letter)[1] == "Спор завершён. Деньги снова на балансе."
    assert kinds.get("dispute").compose([opened], alice, at(hours=12)) is None
    assert letter_of("debt", now=at(hours=12)) is None


def test_a_lost_dispute_in_english_and_russian(alice, pay):
    payment = pay(amount=500_00)
    dispute(payment, DisputeState.LOST, at(hours=1))
    letter = told("dispute", now=at(hours=1))
    assert (letter.subject, status_of(letter)) == ("₽500.00 went back to your bank", "Lost")
    assert lines(letter)[1] == (
        "Your bank decided the dispute and returned the money to you, so we took it from your balance."
    )
    russian()
    assert told("dispute", now=at(hours=1)).subject == "500,00\u00a0₽ возвращены в ваш банк"


def test_a_lost_dispute_of_a_payment_that_was_never_credited(alice, pay):
    payment = pay(amount=1000_00, outcome="wrong_amount")
    assert (payment.status, payment.received) == ("unknown", Money(500_00, "RUB"))
    dispute(payment, DisputeState.LOST, at(hours=1))
    letter = told("dispute", now=at(hours=1))
    assert letter.subject == "₽500.00 went back to your bank"
    assert lines(letter)[1] == "The dispute is over. Nothing was taken from your balance."


@pytest.fixture
def card(alice: User) -> PaymentMethod:
    """A card that expires 40 days after noon of 1 March 2026 and pays the renewals of Alice's subscription."""
    pay_in(alice, 990_00, at=NOON)
    orders.subscribe(alice, sell("basic", RUB=990_00)["RUB"], now=NOON)
    card = PaymentMethod.objects.create(
        customer=alice, gateway="sandbox", gateway_id="pm_1", brand="Visa", last4="4242", expires_on=at(days=40),
        created_at=NOON,
    )  # fmt: skip
    consents.agree_to_renewals(card, address=None, now=NOON)
    return card


def test_a_card_that_expires_in_english_and_russian(card):
    assert expiring_cards.run_due(now=at(days=9)) == 0
    assert [expiring_cards.run_due(now=at(days=day)) for day in (10, 11)] == [1, 0]
    letter = told("card_expires", now=at(days=10))
    assert letter.subject == "Your card Visa •••• 4242 expires on 10 April 2026"
    assert lines(letter) == [
        "Hello alice,",
        (
            "It pays automatically for you. After that day we cannot charge it. "
            "Choose another payment method, so that nothing stops."
        ),
        "Card: Visa •••• 4242",
        "Expires on: 10 April 2026",
        "Choose another method: http://127.0.0.1:8000/account/automatic-payments/",
    ]
    assert letter.stop_url
    # A week ahead the next reminder is told instead.
    assert letter_of("card_expires", now=at(days=33)) is None
    assert [expiring_cards.run_due(now=at(days=day)) for day in (33, 34)] == [1, 0]
    russian()
    assert told("card_expires", now=at(days=33)).subject == "Карта Visa •••• 4242 действует до 10 апреля 2026\u00a0г."
    PaymentMethod.objects.update(removed_at=at(days=33))
    assert letter_of("card_expires", now=at(days=33)) is None


def test_nothing_is_said_of_a_card_that_is_not_in_use_or_has_expired(card, alice):
    assert expiring_cards.run_due(now=at(days=40)) == 0
    orders.change(alice.subscriptions.get(), now=at(days=1), act=lambda book: book.cancel(alice.subscriptions.get()))
    assert expiring_cards.run_due(now=at(days=35)) == 0


@pytest.mark.parametrize("change", [{"removed_at": at(days=9)}, {"refused_at": at(days=9)}, "withdrawn"])
@pytest.mark.parametrize("is_recorded", [True, False])
def test_nothing_is_said_of_a_card_that_is_not_charged(card, change, is_recorded):
    assert expiring_cards.run_due(now=at(days=10) if is_recorded else at(days=9)) == is_recorded
    if change == "withdrawn":
        consents.withdraw(card.consents.get(), now=at(days=9))
    else:
        PaymentMethod.objects.update(**change)
    if is_recorded:
        assert letter_of("card_expires", now=at(days=10)) is None
    else:
        assert expiring_cards.run_due(now=at(days=10)) == 0


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_record_one_reminder_of_a_card(card):
    at_once([lambda: expiring_cards.run_due(now=at(days=35))] * 4)
    assert [event.data["days"] for event in Event.objects.filter(type=expiring_cards.EVENT)] == [7]


def test_nothing_that_somebody_typed_is_markup(alice, pay):
    payment = pay(amount=500_00, description="<script>x</script>\r\nBcc: eve@example.com")
    User.objects.update(first_name="<i>Eve</i>")
    refunds.issue(payment, now=at(hours=1), amount=200_00, reason="<b>bold</b>")
    dispute(payment, DisputeState.OPEN, at(hours=2))
    for kind in ("refunded", "dispute", "receipt"):
        letter = told(kind, now=at(hours=2))
        assert not any(tag in letter.html for tag in ("<script", "<i>", "<b>")), kind
        assert "\n" not in letter.subject
