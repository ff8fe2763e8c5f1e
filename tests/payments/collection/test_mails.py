"""The mails about automatic payments, in both languages: the last try failed, a card cannot be charged, a rule stopped;
and the reminders of who need not top up. The first attempt is on Wednesday, 1 April 2026, a day before the renewal.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.models import User
from events.mails import delivery, fan_out, kinds
from events.models import Event, Mail
from payments.collection import consents, top_ups
from subscriptions import billing_run, orders, reminders
from subscriptions.models import Subscription
from tests.events.mails.post import PATH, Post
from tests.letters import letter_of, lines, told
from tests.payments.collection.story import AHEAD, RENEWAL, Story, at
from tests.subscriptions.bank import hourly
from tests.subscriptions.shop import pay_in, sell

pytestmark = pytest.mark.django_db

TRIES = [AHEAD, RENEWAL, at("04-06 09:00"), at("04-07 09:00"), at("04-08 12:00")]
PAGE = "http://127.0.0.1:8000/account/automatic-payments/"


def try_until_given_up(story: Story) -> None:
    for moment in TRIES:
        story.travel(moment)
        story.run()
    assert story.collection.status == "given_up"


def russian() -> None:
    User.objects.update(language="ru", time_zone="Europe/Moscow")


def test_a_receipt_names_the_saved_card_that_was_charged(story: Story, agreed: Subscription) -> None:
    story.travel(AHEAD)
    story.run()
    assert story.collection.status == "collected"
    assert "Paid with: Visa •••• 4242" in lines(told("receipt", now=story.now))


def test_the_last_try_failed_in_english_and_russian(story: Story, agreed: Subscription) -> None:
    story.answer("insufficient_funds")
    try_until_given_up(story)
    letter = told("automatic_given_up", now=story.now)
    assert letter.subject == "Automatic payment failed: Basic is not paid"
    assert lines(letter) == [
        "Hello alice,",
        (
            "The last try to charge Visa •••• 4242 failed as well. We will not try again. There was not enough money "
            "on the card. Try another card, or pay again later. Basic is suspended. Top up and it continues at once. "
            "We keep it until 2 May 2026."
        ),
        "Basic: ₽990.00 a month",
        "To pay: ₽990.00",
        "Balance: ₽0.00",
        f"Pay now: http://127.0.0.1:8000/account/subscriptions/{agreed.public_id}/pay/",
        "To have it paid automatically again, choose a payment method and agree once more:",
        f"Automatic payments: {PAGE}",
    ]
    assert not letter.stop_url
    russian()
    letter = told("automatic_given_up", now=story.now)
    assert letter.subject == "Автоплатёж не прошёл: «Basic» не оплачена"
    assert lines(letter)[1] == (
        "Последняя попытка списать деньги с Visa •••• 4242 тоже не удалась. Больше мы пробовать не будем. "
        "На карте не хватило денег. Попробуйте другую карту или заплатите позже. Подписка «Basic» приостановлена. "
        "Пополните баланс, и подписка сразу продолжится. Мы сохраним её до 2 мая 2026\u00a0г."
    )


def test_nothing_is_told_of_a_given_up_payment_that_was_paid_or_has_ended(story: Story, agreed: Subscription) -> None:
    story.answer("insufficient_funds")
    try_until_given_up(story)
    pay_in(story.customer, 990_00, at=story.now)
    assert letter_of("automatic_given_up", now=story.now) is None


@pytest.mark.django_db(transaction=True)
def test_each_decline_has_one_mail_and_the_last_one_another(story: Story, agreed: Subscription) -> None:
    story.answer("insufficient_funds")
    try_until_given_up(story)
    fan_out.run(now=story.now)
    names = Mail.objects.filter(kind__in=("payment_failed", "automatic_given_up")).order_by("pk")
    assert list(names.values_list("kind", flat=True)) == ["payment_failed"] * 4 + ["automatic_given_up"]


def test_a_plan_with_grace_can_be_used_until_its_end(story: Story) -> None:
    sell("graceful", RUB=990_00, grace_days=10)
    story.buy("graceful")
    story.agree()
    story.answer("insufficient_funds")
    try_until_given_up(story)
    assert (
        "You can use Graceful until 12 April 2026, 12:00\u00a0UTC. These days are charged. "
        "Pay before then and nothing stops."
    ) in lines(told("automatic_given_up", now=story.now))[1]


def test_a_plan_that_still_runs_is_told_until_when(story: Story, agreed: Subscription, settings: Any) -> None:
    settings.COLLECTION_RETRY_DAYS = ()
    story.answer("insufficient_funds")
    story.travel(AHEAD)
    story.run()
    text = lines(told("automatic_given_up", now=story.now))
    assert text[1].endswith("Basic runs until 2 April 2026, 12:00\u00a0UTC. Pay before then and nothing stops.")
    assert "Pay now: http://127.0.0.1:8000/topup/?currency=RUB" in text
    pay_in(story.customer, 990_00, at=story.now)
    assert letter_of("automatic_given_up", now=story.now) is None


def test_several_subscriptions_of_one_payment_are_one_mail(story: Story) -> None:
    for code in ("basic", "second"):
        if code == "second":
            sell(code, RUB=490_00)
        story.buy(code)
    story.agree()
    story.answer("insufficient_funds")
    try_until_given_up(story)
    letter = told("automatic_given_up", now=story.now)
    assert letter.subject == "Automatic payment failed: 2 subscriptions are not paid"
    assert lines(letter)[2:6] == [
        "Basic: Suspended", "Second: Suspended", "Balance: ₽0.00", "Pay now: http://127.0.0.1:8000/topup/?currency=RUB",
    ]  # fmt: skip


def test_a_stolen_card_is_told_as_refused_and_then_reminded_of(story: Story, agreed: Subscription) -> None:
    story.answer("stolen_card")
    story.travel(AHEAD)
    story.run()
    text = lines(told("payment_failed", now=story.now))
    assert "We will not charge this payment method again." in text[1]
    assert "We try again" not in text[1]
    assert f"Choose another method: {PAGE}" in text
    story.travel(RENEWAL)
    story.run()
    letter = told("automatic_not_tried", now=story.now)
    assert letter.subject == "We cannot charge Visa •••• 4242 for Basic"
    assert lines(letter)[1:3] == [
        (
            "An automatic payment is due, and this payment method cannot be charged any more. "
            "We remind you again on 6 April 2026, unless you pay before. Basic is suspended. "
            "Top up and it continues at once. We keep it until 2 May 2026."
        ),
        "Basic: ₽990.00 a month",
    ]
    assert f"Choose another method: {PAGE}" in lines(letter)
    russian()
    letter = told("automatic_not_tried", now=story.now)
    assert letter.subject == "Не можем списать деньги с Visa •••• 4242 за «Basic»"
    pay_in(story.customer, 990_00, at=story.now)
    assert letter_of("automatic_not_tried", now=story.now) is None


@pytest.mark.django_db(transaction=True)
def test_the_last_reminder_is_the_mail_that_nothing_more_is_tried(story: Story, agreed: Subscription) -> None:
    story.answer("stolen_card")
    try_until_given_up(story)
    fan_out.run(now=story.now)
    names = Mail.objects.filter(kind__startswith="automatic").order_by("pk").values_list("kind", flat=True)
    assert list(names) == ["automatic_not_tried"] * 3 + ["automatic_given_up"]
    assert lines(told("automatic_given_up", now=story.now))[1].startswith(
        "Your payment method could not be charged, and we will not try again."
    )


def rule(story: Story) -> Any:
    return top_ups.turn_on(
        story.card, "RUB", threshold=500_00, amount=1000_00, cap=2000_00, address=None, now=story.now
    )


def test_a_rule_that_was_stopped_in_english_and_russian(story: Story) -> None:
    story.top_up(600_00)
    top_ups.stop(rule(story), "burst", now=story.now)
    letter = told("top_ups_stopped", now=story.now)
    assert letter.subject == "Automatic top-ups are off"
    assert lines(letter) == [
        "Hello alice,",
        (
            "We tried to charge Visa •••• 4242 three times within a day, so we stopped. "
            "They stay off until you set them up again."
        ),
        "Balance: ₽600.00",
        f"Set up again: {PAGE}top-up/?currency=RUB",
        "Or top up by hand:",
        "Top up: http://127.0.0.1:8000/topup/?currency=RUB",
    ]
    russian()
    assert told("top_ups_stopped", now=story.now).subject == "Автопополнение выключено"
    rule(story)
    assert letter_of("top_ups_stopped", now=story.now) is None


def test_a_rule_whose_method_is_refused(story: Story) -> None:
    story.top_up(600_00)
    top_ups.stop(rule(story), "method_refused", now=story.now)
    assert lines(told("top_ups_stopped", now=story.now))[1].startswith("Visa •••• 4242 cannot be charged any more.")


def test_a_limit_that_is_reached_in_english_and_russian(story: Story) -> None:
    story.top_up(600_00)
    top_ups.note_cap(rule(story), now=story.now)
    letter = told("top_up_limit", now=story.now)
    assert letter.subject == "Automatic top-ups have reached your limit of ₽2,000.00"
    assert lines(letter)[1:3] == [
        (
            "You set this limit for a calendar month, so your balance was not topped up. "
            "Automatic top-ups continue on 1 April 2026."
        ),
        "Balance: ₽600.00",
    ]
    russian()
    assert told("top_up_limit", now=story.now).subject == "Автопополнение: достигнут лимит 2\u00a0000,00\u00a0₽"
    assert letter_of("top_up_limit", now=at("04-01 00:00")) is None


def test_who_pays_automatically_is_not_asked_to_top_up_for_a_renewal(story: Story, agreed: Subscription) -> None:
    story.travel(RENEWAL - timedelta(days=3))
    reminders.run_due(now=story.now)
    letter = told("renewal_ahead", now=story.now)
    assert lines(letter)[1] == (
        "Basic renews on 2 April 2026 for ₽990.00, from your balance. "
        "Your balance lacks ₽990.00. We charge it to Visa •••• 4242 before then."
    )
    assert "Top up" not in letter.text
    russian()
    assert "На балансе не хватает 990,00\u00a0₽. Мы спишем их с Visa •••• 4242 до этого дня." in letter_text(story)
    [consent] = story.customer.consents.all()
    consents.withdraw(consent, now=story.now)
    User.objects.update(language="en")
    assert "You need ₽990.00 more." in letter_text(story)
    story.run()


def letter_text(story: Story) -> str:
    return told("renewal_ahead", now=story.now).text


def test_who_pays_automatically_is_told_before_a_trial_ends_what_is_charged_to_the_card(story: Story) -> None:
    story.top_up(100_00)
    story.agree()
    story.run()
    orders.subscribe(story.customer, sell("tried", RUB=990_00, trial_days=14)["RUB"], now=story.now)
    story.travel(datetime(2026, 3, 13, 12, tzinfo=story.now.tzinfo))
    assert reminders.run_due(now=story.now) == 1
    letter = told("trial_ends", now=story.now)
    assert "Your balance lacks ₽890.00. We charge it to Visa •••• 4242 before then." in letter.text
    assert "Top up:" not in letter.text
    story.run()


def test_a_low_balance_is_not_told_if_automatic_payments_prevent_it(story: Story, agreed: Subscription) -> None:
    story.travel(AHEAD)
    billing_run.run_due(now=story.now)
    assert kinds.get("low_balance").compose([low_balance(story)], story.customer, story.now) is None
    consents.withdraw(story.customer.consents.get(), now=story.now)
    assert kinds.get("low_balance").compose([low_balance(story)], story.customer, story.now) is not None


def test_a_low_balance_of_a_meter_is_told_unless_a_rule_tops_up(story: Story) -> None:
    story.top_up(100_00)
    story.agree()
    orders.subscribe(story.customer, hourly(), now=story.now)
    # 100.00 last 27 h 46 min.
    story.later(hours=10)
    billing_run.run_due(now=story.now)
    compose, event = kinds.get("low_balance").compose, low_balance(story)
    assert compose([event], story.customer, story.now) is not None
    made = rule(story)
    assert compose([event], story.customer, story.now) is None
    top_ups.note_cap(made, now=story.now)
    assert compose([event], story.customer, story.now) is not None


def low_balance(story: Story) -> Event:
    return Event.objects.filter(type="wallet.low_balance", customer=story.customer).latest("id")


@pytest.mark.django_db(transaction=True)
def test_a_quarter_of_who_pays_automatically_has_exactly_the_mails_that_a_person_wants(
    story: Story, agreed: Subscription, settings: Any
) -> None:
    """Each month a reminder with what will be charged to the card, and the receipt of it. No word about the balance."""
    settings.MAIL_BACKEND = PATH
    Post.taken, Post.is_down, Post.refuses, Post.breaks_off = [], False, {}, False
    came = []
    while story.now < at("06-03 12:00"):
        story.run()
        reminders.run_due(now=story.now)
        fan_out.run(now=story.now)
        before = set(Mail.objects.filter(state="sent").values_list("pk", flat=True))
        delivery.run(now=story.now)
        sent = Mail.objects.filter(state="sent").exclude(pk__in=before).order_by("pk")
        came += [(f"{story.now:%m-%d}", mail.kind) for mail in sent]
        story.later(hours=12)
    story.run()
    assert came == [
        ("03-02", "receipt"),  # the first month, paid on the page
        ("03-30", "renewal_ahead"),
        ("04-01", "receipt"),  # charged to the card a day before the renewal
        ("04-29", "renewal_ahead"),
        ("05-01", "receipt"),
        ("05-30", "renewal_ahead"),
        ("06-01", "receipt"),
    ]
