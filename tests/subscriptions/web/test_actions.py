"""For every state, the pages offer exactly the actions that the rules allow."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import pytest

from subscriptions import catalogue, orders
from subscriptions.models import Price, Subscription
from subscriptions.refusals import Refused
from subscriptions.web import actions, cards
from tests.subscriptions.bank import at
from tests.subscriptions.shop import sell
from tests.web import act, address, bought

# The path of each action's link or form.
PATHS = {
    "change": "change/", "quantity": "quantity/", "keep": "keep-plan/", "pause": "pause/", "resume": "resume/",
    "undo": "undo-cancel/", "renew": "renew/", "cancel": "cancel/",
}  # fmt: skip

NOTHING: set[str] = set()


@pytest.fixture
def on_sale(on_sale) -> None:
    """The demo's plans; Standard can be paused."""
    Price.objects.filter(plan__code="standard").update(can_pause=True)


def active(alice, plan="standard", **more):
    return bought(alice, plan, paid_in=2000_00, **more)


def after(do: Callable[..., None], alice, plan="standard", **more):
    row = active(alice, plan, **more)
    act(row, at(), partial(do, row))
    return row


def planned(row, book):
    book.change_plan(row, catalogue.current("basic", "RUB"), when="period_end")


def cancelled_and_paused(row, book):
    book.cancel(row)
    book.pause(row)


# For each state: how to create it, when to look at it, and the actions offered then.
STATES: dict[str, tuple[Callable[[Any], Any], datetime, set[str]]] = {
    "pending": (partial(bought, plan="standard", paid_in=0), at(), {"change", "quantity", "cancel"}),
    "pending, metered": (partial(bought, plan="hourly", paid_in=0), at(), {"change", "quantity", "cancel"}),
    "trialing": (partial(active, plan="premium"), at(), {"change", "quantity", "cancel"}),
    "active": (active, at(days=1), {"change", "quantity", "pause", "cancel"}),
    "active, cannot be paused": (
        partial(active, plan="basic"), at(days=1), {"change", "quantity", "cancel"},
    ),
    "active, a quantity planned": (
        partial(after, lambda row, book: book.change_quantity(row, 2, when="period_end")),
        at(days=1), {"change", "quantity", "keep", "pause", "cancel"},
    ),
    "active, metered": (partial(active, plan="hourly"), at(days=1), {"change", "quantity", "pause", "cancel"}),
    "active, not renewing": (
        partial(active, auto_renew=False), at(days=1), {"change", "quantity", "pause", "renew", "cancel"},
    ),
    "active, cancelled for its end": (
        partial(after, lambda row, book: book.cancel(row)), at(days=1),
        {"change", "quantity", "pause", "undo", "cancel"},
    ),
    "active, a change planned": (
        partial(after, planned), at(days=1), {"change", "quantity", "keep", "pause", "cancel"},
    ),
    "past due": (
        partial(bought, plan="standard", paid_in=2900_00, quantity=3), at(days=32),
        {"change", "quantity", "cancel"},
    ),
    "suspended": (
        partial(bought, plan="standard", paid_in=700_00), at(days=36), {"change", "quantity", "cancel"},
    ),
    "suspended, metered": (partial(bought, plan="hourly", paid_in=1_00), at(days=1), {"change", "quantity", "cancel"}),
    "paused": (partial(after, lambda row, book: book.pause(row)), at(days=1), {"resume", "cancel"}),
    "paused, metered": (
        partial(after, lambda row, book: book.pause(row), plan="hourly"), at(days=1), {"resume", "cancel"},
    ),
    "paused, cancelled for its end": (partial(after, cancelled_and_paused), at(days=1), {"resume", "cancel"}),
    "cancelled": (partial(after, lambda row, book: book.cancel(row, when="now")), at(days=1), NOTHING),
    "expired": (partial(active, auto_renew=False), at(days=40), NOTHING),
}  # fmt: skip


def offered(page: str, row: Any) -> set[str]:
    urls = {action: address(row, part) for action, part in PATHS.items()}
    return {name for name, url in urls.items() if f'href="{url}"' in page or f'action="{url}"' in page}


@pytest.mark.parametrize("state", STATES)
def test_each_state_offers_exactly_the_possible_actions(browser, clock, alice, state):
    make, when, possible = STATES[state]
    row = make(alice)
    clock.move_to(when)
    assert offered(browser.get(address(row)).content.decode(), row) == possible
    # The list of all subscriptions shows one, unless it shows what is to be paid.
    shown = offered(browser.get("/account/").content.decode(), row)
    assert shown <= possible
    assert len(shown) == (possible != NOTHING and not is_unpaid(row, when))


def test_what_the_customer_most_likely_wants_is_the_first_button(clock, alice, on_sale):
    for make, when, possible in STATES.values():
        row = make(alice)
        clock.move_to(when)
        card = cards.one(Subscription.objects.get(pk=row.pk), now=when)
        if possible != NOTHING:
            assert [*actions.pressing_actions(card), *actions.usual_actions(card)][0] is actions.main_action(card)


def is_unpaid(row: Any, when: datetime) -> bool:
    return cards.one(Subscription.objects.get(pk=row.pk), now=when).state.is_unpaid


# What each action does to the book. The actions left out are never refused.
OPERATIONS: dict[str, Callable[[Any, Any], None]] = {
    "change": lambda row, book: book.change_plan(row, sell("cheap", RUB=1_00)["RUB"]),
    "quantity": lambda row, book: book.change_quantity(row, 1 if row.quantity > 1 else 2),
    "pause": lambda row, book: book.pause(row),
    "resume": lambda row, book: book.resume(row),
    "undo": lambda row, book: book.undo_cancel(row),
    "cancel": lambda row, book: book.cancel(row, when="now"),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("action", OPERATIONS)
def test_the_rules_allow_exactly_the_offered_actions(clock, alice, on_sale, state, action):
    make, when, possible = STATES[state]
    row = make(alice)
    if action in possible:
        orders.change(row, now=when, act=partial(OPERATIONS[action], row))
    else:
        with pytest.raises(Refused):
            orders.change(row, now=when, act=partial(OPERATIONS[action], row))


@pytest.mark.parametrize("state", STATES)
def test_every_offered_action_works(browser, clock, alice, state):
    make, when, possible = STATES[state]
    row = make(alice)
    clock.move_to(when)
    for action in possible & {"change", "quantity", "pause", "resume", "cancel"}:
        assert browser.get(address(row, PATHS[action])).status_code == 200, action
    for action in possible & {"keep", "undo", "renew", "resume"}:
        answer = browser.post(address(row, PATHS[action]), follow=True)
        assert "cannot be done" not in answer.content.decode(), action
