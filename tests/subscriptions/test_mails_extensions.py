"""The mail about free days, in both languages, says what is so now."""

from accounts.models import User
from subscriptions import books
from subscriptions.models import Subscription
from tests.letters import letter_of, lines, told
from tests.subscriptions.bank import NOON, at, do, settle
from tests.subscriptions.shop import sell


def test_a_longer_period(alice: User, subscription: Subscription) -> None:
    do(alice, at(days=10), lambda book: book.extend(subscription, 5))
    letter = told("extended", now=at(days=10))
    assert letter.subject == "Basic is paid until 6 April 2026 now"
    assert lines(letter) == [
        "Hello alice,",
        "We gave you more time for free. It ends on 6 April 2026, 12:00\u00a0UTC, unless it renews.",
        "Basic: ₽990.00 a month",
        "Next charge: ₽990.00, 6 April 2026",
        "Balance: ₽1,010.00",
        f"See the subscription: http://127.0.0.1:8000/account/subscriptions/{subscription.public_id}/",
    ]
    User.objects.update(language="ru")
    letter = told("extended", now=at(days=10))
    assert letter.subject == "«Basic» теперь оплачен до 6 апреля 2026\u00a0г."
    assert lines(letter)[1].startswith("Мы бесплатно добавили вам время. Период закончится 6 апреля")


def test_an_end_that_has_changed_since_is_not_told(alice: User, subscription: Subscription) -> None:
    do(alice, at(days=10), lambda book: book.extend(subscription, 5))
    do(alice, at(days=11), lambda book: book.pause(subscription), lambda book: book.cancel(subscription))
    assert letter_of("extended", now=at(days=11)) is None


def test_a_longer_trial_and_more_days_of_grace(alice: User) -> None:
    tried = sell("tried", RUB=100_00, trial_days=7, grace_days=5)["RUB"]
    with books.open(alice, "RUB", now=NOON) as book:
        row = book.subscribe(tried)
    do(alice, at(days=1), lambda book: book.extend(row, 3))
    assert told("extended", now=at(days=1)).subject == "Your free trial of Tried now ends on 11 March 2026"
    with books.open(alice, "RUB", now=at(days=2)) as book:
        book.top_up(100_00, key="test:grace", source="gateway_clearing:sandbox")
    settle(alice, at(days=41))
    do(alice, at(days=42), lambda book: book.extend(row, 3))
    letter = told("extended", now=at(days=42))
    assert letter.subject == "You have until 19 April 2026 to pay for Tried"
    assert lines(letter)[1] == "We gave you more time for free. It keeps running until 19 April 2026, 12:00\u00a0UTC."
