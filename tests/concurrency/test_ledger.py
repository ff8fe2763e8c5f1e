"""Concurrent database sessions use the same wallets: the rules hold and nothing deadlocks."""

import random
import time
from collections import Counter
from datetime import UTC, datetime
from functools import partial
from threading import Barrier, Event
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

import ledger
from accounts.models import User
from ledger import rollups, statements, wallets
from ledger.models import Account, Transaction
from tests.concurrency.sessions import at_once

pytestmark = pytest.mark.django_db(transaction=True)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLEARING = "gateway_clearing:sandbox"
POSTED, EXISTS, INSUFFICIENT = ledger.Outcome.POSTED, ledger.Outcome.EXISTS, ledger.Outcome.INSUFFICIENT


def entry(key, debit, credit, amount=1, **more) -> ledger.Entry:
    return ledger.Entry(key, debit, credit, amount, "EUR", "adjustment", NOON, **more)


def wallets_with(amount: int, *, people: int) -> list[int]:
    """Create customers with this amount in their wallets, and return the wallets' ids."""
    users = [User.objects.create(username=f"u{n}", email=f"u{n}@example.com") for n in range(people)]
    ids = [wallets.wallet_id_of(user.pk, "EUR") for user in users]
    ledger.post([entry(f"in:{wallet}", CLEARING, wallet, amount) for wallet in ids])
    return ids


def balances(ids: list[int]) -> list[int]:
    return [statements.balance(wallet) for wallet in ids]


def test_simultaneous_debits_succeed_only_while_the_balance_lasts():
    [wallet] = wallets_with(37, people=1)

    def five(worker: int) -> list[ledger.Posted]:
        """Post five debits, each in its own transaction. A hundred sessions would reach the server's limit."""
        return [ledger.post([entry(f"debit:{worker}:{n}", wallet, "revenue")])[0] for n in range(5)]

    results = [posted for batch in at_once([partial(five, worker) for worker in range(20)]) for posted in batch]
    assert Counter(posted.outcome for posted in results) == {POSTED: 37, INSUFFICIENT: 63}
    assert balances([wallet]) == [0]
    assert Transaction.objects.filter(debit=wallet).count() == 37
    after = list(Transaction.objects.filter(debit=wallet).order_by("id").values_list("balance_after", flat=True))
    assert after == list(range(36, -1, -1))


def test_batches_with_the_same_wallets_in_opposite_order_do_not_deadlock(caplog):
    ids = wallets_with(1000, people=20)

    def work(worker: int) -> None:
        order = ids if worker % 2 else ids[::-1]
        for turn in range(10):
            ledger.post([entry(f"{worker}:{turn}:{wallet}", wallet, "revenue") for wallet in order])

    at_once([partial(work, worker) for worker in range(8)])
    # 8 workers x 10 turns, one cent each.
    assert balances(ids) == [920] * 20
    assert "transaction_run_again" not in caplog.text


def test_the_same_cause_posted_simultaneously_posts_once():
    [wallet] = wallets_with(100, people=1)
    results = at_once([partial(ledger.post, [entry("payment:1", wallet, "revenue", 5)])] * 10)
    assert Counter(posted.outcome for [posted] in results) == {POSTED: 1, EXISTS: 9}
    assert len({posted.id for [posted] in results}) == 1
    assert balances([wallet]) == [95]


def test_the_same_cause_between_system_accounts_posts_once():
    """No lock protects two system accounts, only the unique key: the loser runs again and finds the transaction."""
    ledger.post([entry("fee:0", "gateway_fees", CLEARING)])
    posted_first = Event()

    def first() -> ledger.Posted:
        with transaction.atomic():
            [posted] = ledger.post([entry("fee:1", "gateway_fees", CLEARING, 3)])
            posted_first.set()
            wait_for_a_blocked_session()
        return posted

    def second() -> ledger.Posted:
        posted_first.wait(timeout=30)
        return ledger.post([entry("fee:1", "gateway_fees", CLEARING, 3)])[0]

    winner, loser = at_once([first, second])
    assert (winner.outcome, loser.outcome) == (POSTED, EXISTS)
    assert winner.id == loser.id
    assert statements.trial_balance("EUR") == 0


def wait_for_a_blocked_session() -> None:
    """Return as soon as another session waits for a lock of this one."""
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
    for _ in range(1000):
        with connection.cursor() as cursor:
            cursor.execute(waiting)
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    raise AssertionError("no session was blocked")


def test_simultaneous_first_uses_open_a_system_account_once():
    results = at_once([partial(ledger.post, [entry(f"fee:{n}", "gateway_fees", CLEARING)]) for n in range(10)])
    assert [posted.outcome for [posted] in results] == [POSTED] * 10
    assert Account.objects.count() == 2


def test_simultaneous_requests_open_a_wallet_once(alice):
    ids = at_once([partial(wallets.wallet_id_of, alice.pk, "EUR")] * 10)
    assert len(set(ids)) == 1
    assert Account.objects.count() == 1


def test_code_without_a_lock_can_neither_overdraw_nor_corrupt_the_history():
    [wallet] = wallets_with(10, people=1)
    customer = Account.objects.get(pk=wallet).owner_id
    ledger.post([entry("open", "adjustments", "revenue")])
    revenue = Account.objects.get(code="revenue").pk

    def careless(n: int) -> str:
        """Read, decide and write without a lock. Return "passed", "too little" or the rule that refused the row."""
        before = statements.balance(wallet)
        if before < 3:
            return "too little"
        try:
            Transaction.objects.create(
                key=f"careless:{n}", debit_id=wallet, credit_id=revenue, amount=3, currency="EUR", reason="charge",
                wallet_id=wallet, balance_after=before - 3, customer_id=customer, effective_at=NOON,
            )  # fmt: skip
        except DatabaseError as error:
            return str(error.__cause__.diag.constraint_name)  # type: ignore[union-attr]
        return "passed"

    outcomes = Counter(at_once([partial(careless, n) for n in range(10)]))
    passed = outcomes["passed"]
    assert 1 <= passed <= 3
    assert outcomes.keys() <= {"passed", "too little", "transactions_follow_the_wallet"}
    assert balances([wallet]) == [10 - 3 * passed]
    assert statements.trial_balance("EUR") == 0


def test_locked_postings_without_the_lock_post_at_most_one():
    """Ten sessions read one balance, nobody locks it, and all post what follows from what they read."""
    [wallet] = wallets_with(100, people=1)
    owner = Account.objects.get(pk=wallet).owner_id
    revenue = ledger.system_accounts({("revenue", "EUR")})["revenue", "EUR"]
    have_read = Barrier(10, timeout=30)

    def careless(n: int) -> str:
        noon = 1_772_366_400_000_000
        try:
            with transaction.atomic():
                [seen] = balances([wallet])
                have_read.wait()
                ledger.post_locked([
                    (f"{n}", wallet, revenue, 60, "EUR", "charge", noon, "", None, None, None, wallet, seen - 60, owner)
                ])()  # fmt: skip
        except IntegrityError as error:
            return str(error.__cause__.diag.constraint_name)  # type: ignore[union-attr]
        return "posted"

    outcomes = Counter(at_once([partial(careless, n) for n in range(10)]))
    assert outcomes == {"posted": 1, "transactions_follow_the_wallet": 9}
    assert balances([wallet]) == [40]
    assert statements.trial_balance("EUR") == 0


def test_every_snapshot_of_the_books_adds_up_to_zero():
    """As in Jepsen's bank test, writers move money between accounts while a reader keeps summing all balances."""
    ids = wallets_with(100, people=6)
    done = Event()
    sums: list[int] = []
    lowest: list[int] = []

    def write(worker: int) -> None:
        dice = random.Random(worker)
        for turn in range(25):
            # However slow the reader is, it reads between the turns.
            while len(sums) < turn // 2:
                time.sleep(0.001)
            group = uuid4()
            payer, payee = dice.sample(ids, 2)
            amount = dice.randint(1, 60)
            ledger.post(
                [
                    entry(f"{worker}:{turn}:out", payer, "adjustments", amount, group=group),
                    entry(f"{worker}:{turn}:in", "adjustments", payee, amount, group=group),
                    entry(f"{worker}:{turn}:fee", payer, "revenue", dice.randint(1, 3)),
                ]
            )

    def read() -> None:
        while not done.is_set():
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                sums.append(statements.trial_balance("EUR"))
                lowest.append(min(balances(ids)))

    def fold() -> None:
        accounts = [account.pk for account in Account.objects.filter(owner=None)]
        while not done.is_set():
            for account in accounts:
                rollups.fold(account)

    def write_all() -> None:
        try:
            # One thread per writer, all within this thread, which sets `done` for the reader.
            at_once([partial(write, worker) for worker in range(4)])
        finally:
            done.set()

    at_once([write_all, read, fold, fold])
    assert set(sums) == {0}
    assert len(sums) > 10
    assert min(lowest) >= 0
    # 6 x 100 were paid in: all of it is in the wallets or was charged as a fee.
    names = {account.code or account.kind: account.pk for account in Account.objects.filter(owner=None)}
    assert sum(balances(ids)) + statements.balance(names["revenue"]) == 600
    assert statements.balance(names["adjustments"]) == 0


def test_simultaneous_folds_keep_the_balance_of_a_system_account():
    ids = wallets_with(100, people=4)
    clearing = Account.objects.get(code=CLEARING).pk

    def post(n: int) -> None:
        ledger.post([entry(f"more:{n}", CLEARING, ids[n % 4])])
        rollups.fold(clearing)

    at_once([partial(post, n) for n in range(16)])
    assert statements.balance(clearing) == -416
