"""The whole site behind PgBouncer in transaction mode, with fewer database sessions than it has connections."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from json import loads
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from billing_site.local.postgres import Postgres
from core.columns import run
from events.models import Mail
from payments.models import Payment, WebhookEvent
from subscriptions import books
from subscriptions.models import Price
from tests import tools
from tests.flows.site import Site, Visitor, free_port, shifted, wait_for
from tests.flows.test_whole_story import PASSWORD, pay
from tests.subscriptions.bank import basic, people
from tests.subscriptions.shop import pay_in

pytestmark = [pytest.mark.pooler, pytest.mark.broker, pytest.mark.timeout(400)]

# Two workers, each with a gateway's turn, hold two sessions and need a third.
SESSIONS = 4


@pytest.fixture
def pooler(transactional_db: None, tmp_path: Path) -> Iterator[str]:
    """Start PgBouncer in front of the test's database and return the address of the database behind it."""
    server, port = connection.get_connection_params(), free_port()
    names = ("host", "port", "dbname", "user", "password")
    where = " ".join(f"{name}={server[name]}" for name in names if server.get(name))
    config = tmp_path / "pgbouncer.ini"
    config.write_text(
        f"[databases]\n{server['dbname']} = {where}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n"
        f"unix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = {SESSIONS}\n"
        # Each transaction goes to the session that has waited longest, so that what one leaves in it is missed.
        "server_round_robin = 1\n"
    )
    # PgBouncer refuses root, as PostgreSQL does.
    as_user = Postgres(settings.VAR_DIR / "postgres-test")._as_ordinary_user()
    with (tmp_path / "pgbouncer.log").open("wb") as log:
        command = [*as_user, str(tools.pgbouncer()), str(config)]
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        url = f"postgresql://{server['user']}@127.0.0.1:{port}/{server['dbname']}"
        wait_for(lambda: answers(url), "PgBouncer")
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)


def answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture
def pooled(pooler: str, site: Site) -> Site:
    """The site, every process of it behind PgBouncer."""
    site.environment |= {"DATABASE_URL": pooler, "DATABASE_POOLED": "1"}
    return site


def test_everything_works_behind_a_pooler_in_transaction_mode(pooled: Site) -> None:
    monthly = basic()
    start(pooled)
    olga = Visitor(pooled)
    olga.call("POST", "auth/register", expect=201, username="olga", email="olga@example.com", password=PASSWORD)
    olga.log_in("olga", PASSWORD)
    top_up(olga, "500.00")
    buy(olga)
    check_a_payment_again(olga)
    wait_for(lambda: Mail.objects.filter(state=Mail.State.SENT).exists(), "a mail")
    pooled.kill("beat")
    pooled.stop("web", "worker", "worker-2")
    bill_with_two_workers(pooled, monthly)
    # The pooler's sessions are all that the processes had, and none has kept a lock.
    assert 1 <= len(sessions()) <= SESSIONS
    assert locks() == 0
    check = pooled.manage("check_ledger", "--json")
    assert check.returncode == 0, check.stdout + check.stderr


@pytest.fixture
def checked_role(transactional_db: None) -> Iterator[None]:
    """Set for the role what the runbook asks for behind a pooler, which sets nothing for its sessions."""
    role = f"ALTER ROLE CURRENT_USER IN DATABASE {connection.ops.quote_name(connection.settings_dict['NAME'])}"
    with connection.cursor() as cursor:
        cursor.execute(f"{role} SET client_connection_check_interval = '1s'")
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"{role} RESET client_connection_check_interval")


def test_a_process_killed_behind_a_pooler_leaves_no_lock(checked_role: None, pooler: str) -> None:
    """The pooler closes the session of a client that has gone, and the server ends its statement."""
    held = "SELECT pg_advisory_xact_lock(4711), pg_sleep(300)"
    program = f"import psycopg, sys; psycopg.connect(sys.argv[1]).execute({held!r})"
    client = subprocess.Popen([sys.executable, "-c", program, pooler])
    try:
        wait_for(lambda: locks() == 1, "its lock")
    finally:
        client.kill()
        client.wait()
    wait_for(lambda: locks() == 0, "the end of its session")
    assert not run("SELECT FROM pg_stat_activity WHERE query = %s", [held])


def start(site: Site) -> None:
    """Start a web server, two workers and the scheduler."""
    celery = ["celery", "--quiet", "--app", "billing_site"]
    worker = [*celery, "worker", "--concurrency", "1", "--without-gossip", "--without-mingle"]
    for name in ("worker", "worker-2"):
        site.start(name, shifted(timedelta(0), *worker, "--hostname", name))
    site.start("beat", shifted(timedelta(0), *celery, "beat", "--pidfile="))
    site.start_web()


def top_up(visitor: Visitor, value: str) -> None:
    """Pay money in. A worker takes the gateway's word and credits it."""
    payment = visitor.call("POST", "payments/", expect=201, value=value, currency="RUB")
    pay(payment["confirmation_url"])
    confirmed(visitor, payment["id"])
    [wallet] = visitor.call("GET", "wallet/")["results"]
    assert wallet["balance"] == value


def buy(visitor: Visitor) -> None:
    """Buy a month, sending the request twice with one key: one payment."""
    visitor.session.headers["Idempotency-Key"] = "once"
    first, second = (
        visitor.call("POST", "payments/create-checkout-session", expect=201, plan="basic", currency="RUB")
        for _ in range(2)
    )
    del visitor.session.headers["Idempotency-Key"]
    assert first == second
    assert first["amount"] == {"value": "990.00", "currency": "RUB"}
    pay(first["confirmation_url"])
    confirmed(visitor, first["id"])
    assert visitor.call("GET", f"subscriptions/{first['subscription']}/access")["active"] is True
    assert not WebhookEvent.objects.exclude(status="processed").exists()


def confirmed(visitor: Visitor, payment: str) -> None:
    wait_for(lambda: visitor.call("GET", f"payments/{payment}")["status"] == "confirmed", "the webhook")


def check_a_payment_again(visitor: Visitor) -> None:
    """Have the sweep of open payments, which takes the gateway's turn, ask about one that is due."""
    payment = visitor.call("POST", "payments/", expect=201, value="100.00", currency="RUB")
    mine = Payment.objects.filter(public_id=payment["id"])
    mine.update(check_at=timezone.now() - timedelta(seconds=1))
    wait_for(lambda: mine.filter(checks__gt=0).exists(), "the sweep")


def bill_with_two_workers(site: Site, price: Price) -> None:
    """Renew forty subscriptions in a month from now, by two runs at once. Olga is short of money by then."""
    now = timezone.now()
    for user in people(40):
        pay_in(user, 2000_00, at=now)
        with books.open(user, "RUB", now=now) as book:
            book.subscribe(price)
    with ThreadPoolExecutor(2) as pool:
        ahead = timedelta(days=31, hours=1)
        done = list(pool.map(lambda _: site.manage("bill_due", "--json", ahead=ahead), range(2)))
    assert [each.returncode for each in done] == [0, 0], [each.stderr for each in done]
    runs = [loads(each.stdout) for each in done]
    assert (sum(each["charges"] for each in runs), sum(each["parked"] for each in runs)) == (40, 0)


def sessions() -> list[int]:
    """Return the database's sessions that came through the pooler: all of clients but the test's own."""
    # The server's own work in this database, such as an autovacuum that has just begun, is listed beside its clients.
    query = """
        SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
    """
    return [pid for (pid,) in run(query, [])]


def locks() -> int:
    """Return how many advisory locks are held in this database. Other tests have their own on the same server."""
    query = """
        SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
        WHERE locktype = 'advisory' AND datname = current_database()
    """
    [(held,)] = run(query, [])
    return int(held)
