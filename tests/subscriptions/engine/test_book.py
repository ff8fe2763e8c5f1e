"""R6: what a book hands over to be saved. Calculated by hand."""

from subscriptions.engine import funds, operations
from subscriptions.engine.book import Cause, Journal
from subscriptions.engine.changes import change_plan, change_quantity
from subscriptions.engine.settlement import settle
from subscriptions.engine.subscription import Status
from tests.subscriptions.engine.bare import HOUR, bought, funded, instant, metered, monthly

BASIC = monthly("basic", 300_00)  # in April 10.00 a day


def test_a_saved_charge_is_changed_by_one_row_however_often_its_use_is_cut() -> None:
    # Paused on 16 Apr, and cancelled in the pause: half of April comes back.
    book = funded(300_00, "04-01")
    sub = bought(book, "04-01", BASIC)
    book.journal = Journal()
    assert operations.pause(book, instant("04-16"), sub) is None
    assert operations.cancel(book, instant("04-20"), sub) is None
    [cut] = book.journal.cuts
    assert (cut.sub, cut.start, cut.ended_at) == (sub, instant("04-01"), instant("04-16"))
    assert cut.refund
    assert (cut.refund.amount, cut.refund.at) == (150_00, instant("04-20"))


def test_a_charge_that_is_not_saved_yet_is_changed_itself() -> None:
    # One saved in April and one of May that is not, both cut: a row for the first, none for the second.
    book = funded(900_00, "04-01")
    saved = bought(book, "04-01", BASIC)
    book.journal = Journal()
    new = bought(book, "04-02", BASIC)
    for sub in (saved, new):
        assert operations.cancel(book, instant("04-16"), sub, when="now") is None
    assert [cut.sub for cut in book.journal.cuts] == [saved]
    assert [row.ended_at for row in book.journal.charges] == [instant("04-16")]


def test_a_charge_remembers_what_it_was_worked_out_from() -> None:
    # Half an hour at 7 kopecks: 3.5, so four were begun, and half of the last one is left.
    book = funded(1_00)
    bought(book, "03-01", metered("slow", 7))
    bought(book, "03-01", metered("gratis", 0))
    settle(book, instant("03-01") + HOUR // 2)
    slow, free = book.journal.charges
    assert (slow.amount, slow.credit_before, slow.credit_after, slow.quantity) == (4, 0, HOUR // 2, 1)
    assert (free.amount, free.movement, free.credit_after) == (0, None, 0)


def test_movements_are_numbered_within_their_subscription() -> None:
    # The key of each entry comes of its number.
    book = funded(5000_00)
    one, two = bought(book, "04-01", BASIC), bought(book, "04-01", BASIC)
    assert change_quantity(book, instant("04-16"), one, 2) is None
    settle(book, instant("05-01"))
    numbers = [(row.sub, row.number) for row in book.journal.movements if row.sub]
    assert numbers == [(one, 0), (two, 0), (one, 1), (one, 2), (two, 1)]


def test_the_instants_of_movements_never_go_back() -> None:
    # Meters are written down at the settlement, each other thing at its own instant.
    book = funded(1000_00)
    bought(book, "03-01", metered("server", 1_00))
    bought(book, "03-02", BASIC)
    settle(book, instant("06-01"))
    instants = [row.at for row in book.journal.movements]
    assert instants == sorted(instants)
    assert len(instants) > 3


def test_money_carries_its_cause() -> None:
    book = funded(10_00)
    funds.top_up(book, instant("03-02"), 5_00, cause=Cause("payment:1", "gateway", "Thanks", 7), reason="credit")
    money = book.journal.movements[-1]
    assert (money.key, money.counter, money.description, money.author) == ("payment:1", "gateway", "Thanks", 7)
    assert (money.reason, money.amount, money.balance) == ("credit", 5_00, 15_00)


def test_a_dispute_of_more_than_the_wallet_is_two_entries_that_stand_or_fall_together() -> None:
    book = funded(10_00)
    funds.lose_dispute(book, instant("03-02"), 25_00, cause=Cause("dispute:1", "gateway"))
    taken, owed = book.journal.movements[-2:]
    assert (taken.amount, taken.on_debt, owed.amount, owed.on_debt) == (-10_00, False, 15_00, True)
    assert owed.along_with is taken
    assert (taken.key, owed.key) == ("dispute:1", "dispute:1")


def test_what_has_ended_keeps_nothing_of_what_was_asked() -> None:
    book = funded(300_00)
    sub = bought(book, "03-01", BASIC)
    assert operations.cancel(book, instant("03-02"), sub) is None
    settle(book, instant("04-01"))
    assert (sub.status, sub.ended_at, sub.cancel_requested) == (Status.CANCELLED, instant("04-01"), False)
    assert (sub.scheduled, sub.scheduled_quantity, sub.boundary) == (None, None, None)


def test_events_carry_the_terms_and_the_number_they_are_about() -> None:
    book = funded(5000_00)
    sub = bought(book, "04-01", BASIC, quantity=2)
    mini = monthly("mini", 50_00)
    assert change_plan(book, instant("04-02"), sub, mini, when="period_end") is None
    assert change_quantity(book, instant("04-03"), sub, 3, when="period_end") is None
    settle(book, instant("05-01"))
    told = [(event.type.removeprefix("subscription."), event.terms, event.quantity) for event in book.journal.events]
    assert told == [
        ("created", BASIC, 2), ("activated", None, None), ("plan_change_scheduled", mini, None),
        ("quantity_change_scheduled", None, 3), ("plan_changed", mini, None),
    ]  # fmt: skip
