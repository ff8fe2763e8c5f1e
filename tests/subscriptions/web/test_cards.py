"""State by action: the pages offer what the rules agree to, and nothing else."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import pytest

from subscriptions import catalogue, orders, quotes
from subscriptions.books import Refused
from tests.subscriptions.bank import at
from tests.web import act, address, bought

# What leads to each action: a link or the address of a form.
PLACES = {
    "change": "change/", "keep": "keep-plan/", "pause": "pause/", "resume": "resume/", "undo": "undo-cancel/",
    "renew": "renew/", "stop": "stop-renewing/", "cancel": "cancel/",
}  # fmt: skip
NOTHING: set[str] = set()


def active(alice, plan="standard", **more):
    return bought(alice, plan, paid_in=2000_00, **more)


def after(do: Callable[..., None], alice, plan="standard", **more):
    row = active(alice, plan, **more)
    act(row, at(), partial(do, row))
    return row


def under_way(alice):
    row = active(alice)
    quotes.accept(quotes.make(row, catalogue.current("basic", "RUB"), now=at(hours=1)), now=at(hours=1))
    return row


def planned(row, book):
    book.change_plan(row, catalogue.current("basic", "RUB"), when="period_end")


def left_and_paused(row, book):
    book.cancel(row)
    book.pause(row)


# State: how it comes about, when it is looked at, what is offered then.
STATES: dict[str, tuple[Callable[[Any], Any], datetime, set[str]]] = {
    "pending": (partial(bought, plan="standard", paid_in=0), at(), {"change", "stop", "cancel"}),
    "pending, metered": (partial(bought, plan="hourly", paid_in=0), at(), {"change", "cancel"}),
    "trialing": (partial(active, plan="premium"), at(), {"change", "stop", "cancel"}),
    "active": (active, at(days=1), {"change", "pause", "stop", "cancel"}),
    "active, metered": (partial(active, plan="hourly"), at(days=1), {"change", "pause", "cancel"}),
    "active, not renewing": (partial(active, auto_renew=False), at(days=1), {"change", "pause", "renew", "cancel"}),
    "active, cancelled for its end": (
        partial(after, lambda row, book: book.cancel(row)), at(days=1), {"change", "pause", "undo", "cancel"},
    ),
    "active, a change planned": (partial(after, planned), at(days=1), {"change", "keep", "pause", "stop", "cancel"}),
    "active, a change under way": (under_way, at(hours=1), NOTHING),
    "past due": (partial(bought, plan="standard", paid_in=700_00), at(days=32), {"change", "stop", "cancel"}),
    "suspended": (partial(bought, plan="standard", paid_in=700_00), at(days=36), {"change", "stop", "cancel"}),
    "suspended, metered": (partial(bought, plan="hourly", paid_in=1_00), at(days=1), {"change", "cancel"}),
    "paused": (partial(after, lambda row, book: book.pause(row)), at(days=1), {"resume", "stop", "cancel"}),
    "paused, metered": (
        partial(after, lambda row, book: book.pause(row), plan="hourly"), at(days=1), {"resume", "cancel"},
    ),
    "paused, cancelled for its end": (partial(after, left_and_paused), at(days=1), {"resume", "cancel"}),
    "cancelled": (partial(after, lambda row, book: book.cancel(row, when="now")), at(days=1), NOTHING),
    "expired": (partial(active, auto_renew=False), at(days=40), NOTHING),
}  # fmt: skip


def offered(page: str, row: Any) -> set[str]:
    places = {action: address(row, part) for action, part in PLACES.items()}
    return {name for name, place in places.items() if f'href="{place}"' in page or f'action="{place}"' in page}


@pytest.mark.parametrize("state", STATES)
def test_a_state_offers_what_is_possible_and_nothing_else(browser, clock, alice, state):
    make, when, possible = STATES[state]
    row = make(alice)
    clock.move_to(when)
    assert offered(browser.get(address(row)).content.decode(), row) == possible
    assert offered(browser.get("/account/").content.decode(), row) == possible


# What each action asks of the book, and what the rules call nothing to do.
ASKED: dict[str, Callable[[Any, Any], None]] = {
    "change": lambda row, book: book.change_plan(row, catalogue.current("basic", "RUB")),
    "pause": lambda row, book: book.pause(row),
    "resume": lambda row, book: book.resume(row),
    "undo": lambda row, book: book.undo_cancel(row),
    "cancel": lambda row, book: book.cancel(row, when="now"),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("action", ASKED)
def test_what_is_offered_is_agreed_to_and_what_is_not_is_refused(clock, alice, on_sale, state, action):
    make, when, possible = STATES[state]
    row = make(alice)
    if action in possible:
        orders.change(row, now=when, act=partial(ASKED[action], row))
    else:
        with pytest.raises(Refused):
            orders.change(row, now=when, act=partial(ASKED[action], row))


@pytest.mark.parametrize("state", STATES)
def test_every_offer_leads_to_a_page_or_does_its_thing(browser, clock, alice, state):
    make, when, possible = STATES[state]
    row = make(alice)
    clock.move_to(when)
    for action in possible & {"change", "pause", "resume", "cancel"}:
        assert browser.get(address(row, PLACES[action])).status_code == 200, action
    for action in possible & {"keep", "undo", "renew", "stop", "resume"}:
        answer = browser.post(address(row, PLACES[action]), follow=True)
        assert "cannot be done" not in answer.content.decode(), action
