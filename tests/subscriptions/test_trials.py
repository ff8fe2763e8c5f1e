"""A trial is given once a mailbox, however its owner spells the address."""

from functools import partial

import pytest
from django.db import connection

from accounts.models import User
from subscriptions import books, catalogue
from subscriptions.models import Price, Trial
from tests.concurrency.sessions import at_once
from tests.subscriptions.shop import START, sell


def customer(name: str, email: str) -> User:
    return User.objects.create(username=name, email=email)


def subscribed(user: User, price: Price) -> str:
    with books.open(user, "RUB", now=START) as book:
        row = book.subscribe(price)
    return str(row.status)


@pytest.mark.parametrize(
    ("address", "mailbox"),
    [
        ("Ann.Lee@Example.com", "ann.lee@example.com"), ("ann+shop+2@example.com", "ann@example.com"),
        ("a.n.n+x@googlemail.com", "ann@gmail.com"), ("Ann@gmail.com", "ann@gmail.com"),
        ("ann-lee@ya.ru", "ann.lee@yandex.ru"), ("ann.lee@yandex.com", "ann.lee@yandex.ru"),
        ("a-n_n.@pm.me", "ann@proton.me"), ("+@example.com", "+@example.com"), ("++x@example.com", "+@example.com"),
        ("", ""), ("nobody", ""),
    ],
)  # fmt: skip
def test_an_address_is_folded_as_its_provider_reads_it(db: None, address: str, mailbox: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT mailbox_of(%s)", [address])
        assert cursor.fetchone() == (mailbox,)


def test_another_spelling_of_an_address_gets_no_second_trial(db: None) -> None:
    trial = sell("trial", RUB=100_00, trial_days=7)["RUB"]
    first, again = customer("ann", "ann@gmail.com"), customer("again", "a.nn+2@googlemail.com")
    assert catalogue.awaits_trial(again, trial)
    assert subscribed(first, trial) == "trialing"
    assert not catalogue.awaits_trial(again, trial)
    assert subscribed(again, trial) == "pending"
    # Another plan has its own trial, and another mailbox too.
    assert subscribed(again, sell("other", RUB=100_00, trial_days=7)["RUB"]) == "trialing"
    assert subscribed(customer("bob", "bob@gmail.com"), trial) == "trialing"


def test_a_new_address_leaves_the_trial_with_the_customer_and_with_the_old_mailbox(db: None) -> None:
    trial = sell("trial", RUB=100_00, trial_days=7)["RUB"]
    ann = customer("ann", "ann@example.com")
    assert subscribed(ann, trial) == "trialing"
    User.objects.filter(pk=ann.pk).update(email="new@example.com")
    ann.refresh_from_db()
    assert not catalogue.awaits_trial(ann, trial)
    assert subscribed(ann, trial) == "pending"
    assert subscribed(customer("again", "ann+2@example.com"), trial) == "pending"


def test_customers_without_an_address_do_not_share_a_trial(db: None) -> None:
    trial = sell("trial", RUB=100_00, trial_days=7)["RUB"]
    nameless, other = customer("nameless", ""), customer("other", "other@example.com")
    assert [subscribed(each, trial) for each in (nameless, other)] == ["trialing", "trialing"]
    User.objects.filter(pk=other.pk).update(email="ann@example.com")
    assert set(Trial.objects.values_list("mailbox", flat=True)) == {"", "other@example.com"}


@pytest.mark.django_db(transaction=True)
def test_of_simultaneous_starts_for_one_mailbox_one_is_a_trial() -> None:
    trial = sell("trial", RUB=100_00, trial_days=7)["RUB"]
    users = [customer(f"ann{number}", f"ann+{number}@example.com") for number in range(6)]
    states = at_once([partial(subscribed, user, trial) for user in users])
    assert sorted(states) == ["pending"] * 5 + ["trialing"]
