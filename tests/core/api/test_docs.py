"""docs/api.md lists every operation and sandbox outcome, and its quick start runs as written."""

import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from django.utils.translation import override
from drf_spectacular.generators import SchemaGenerator

from billing_site.demo import story
from billing_site.error_codes import ERRORS
from events.names import NAMES
from ledger.models import Transaction
from payments.gateways.sandbox import sessions
from payments.gateways.sandbox.models import SandboxSession
from payments.gateways.sandbox.outcomes import AT_THE_BANK, ON_THE_PAGE
from payments.models import Dispute, Payment, Refund
from subscriptions.models import Subscription

GUIDE = Path(settings.BASE_DIR, "docs", "api.md").read_text()
ADDRESSES = GUIDE.split("## Addresses")[1].split("\n## ")[0]


def operations() -> list[tuple[str, str]]:
    schema: Any = SchemaGenerator().get_schema(public=True)
    return [
        (method.upper(), path.removesuffix("/"))
        for path, methods in schema["paths"].items()
        for method in methods
        if method in ("get", "post", "put", "patch", "delete")
    ]


def test_the_guide_lists_exactly_the_existing_operations() -> None:
    documented = set()
    for line in ADDRESSES.splitlines():
        if found := re.match(r"\| [^|]*\| ([A-Z, ]+) (`.*?) \|", line):
            paths = re.findall(r"`([^`]+)`", found[2])
            documented |= {
                (m, path.replace("/v1/", "/").removesuffix("/")) for m in found[1].split(", ") for path in paths
            }
    assert documented == set(operations())


def test_every_sandbox_outcome_is_documented() -> None:
    table = GUIDE.split("## The sandbox")[1]
    assert [code for code in (*ON_THE_PAGE, *AT_THE_BANK) if f"`{code}`" not in table] == []


def table_rows(heading: str, *, names: int = 1) -> list[str]:
    """Return the first `names` columns of the tables below a heading, without their heads and code marks."""
    part = re.split(r"\n##+ ", GUIDE.split(f"### {heading}\n")[1])[0]
    rows = [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("|")]
    return [" ".join(row[:names]).replace("`", "") for row in rows if row[0].startswith("`") or row[0].isdigit()]


def test_every_error_code_is_listed_with_its_status_and_title() -> None:
    with override("en"):
        wanted = {f"{kind.status} {code} {kind.title}" for code, kind in ERRORS.items()}
    listed = table_rows("Codes of errors", names=3)
    assert set(listed) == wanted
    assert len(listed) == len(wanted)


def test_every_type_of_event_is_listed_with_what_happened() -> None:
    with override("en"):
        wanted = [f"{kind} {name}" for kind, name in NAMES.items()]
    assert table_rows("Types of events", names=2) == wanted


@pytest.mark.parametrize(
    ("heading", "values"),
    [
        ("Statuses of payments, refunds and disputes", [*Payment.Status, *Refund.Status, *Dispute.Status]),
        ("Reasons of transactions", list(Transaction.Reason)),
    ],
)
def test_every_status_and_reason_is_listed(heading: str, values: list[str]) -> None:
    listed = [name for row in table_rows(heading) for name in row.split(", ")]
    assert sorted(listed) == sorted(str(value) for value in values)


def test_every_status_of_a_subscription_is_listed() -> None:
    table = GUIDE.split("| status | access | meaning |")[1].split("\n\n")[0]
    first = [row.split("|")[1] for row in table.splitlines() if row.startswith("|")]
    listed = [name for cell in first for name in re.findall(r"`([a-z_]+)`", cell)]
    assert sorted(listed) == sorted(str(status) for status in Subscription.Status)


@pytest.mark.curl
@pytest.mark.django_db(transaction=True)
def test_the_quick_start_runs_as_written_on_the_demo(live_server: Any, tmp_path: Path) -> None:
    story.seed(now=timezone.now())
    script = GUIDE.split("```sh\n")[1].split("```")[0].replace("http://127.0.0.1:8000", live_server.url)
    before, after = script.split("# Now open the confirmation_url in a browser and press Pay.\n")
    # Here the reader pays: the script waits until somebody has pressed Pay.
    wait = "while [ ! -e paid ]; do sleep 0.1; done\n"
    curls = subprocess.Popen(["sh", "-eu", "-c", before + wait + after], cwd=tmp_path, stdout=subprocess.PIPE)
    sessions.choose(
        session_named_in(tmp_path / "checkout.json"),
        ON_THE_PAGE["succeeds"],
        expected=SandboxSession.Status.OPEN,
        now=timezone.now(),
    )
    (tmp_path / "paid").touch()
    output = curls.communicate(timeout=60)[0].decode()
    assert curls.returncode == 0
    assert '"status":"confirmed"' in output
    assert '"active":true' in output
    # A month of Basic for 299.00 roubles: the charge and the top-up.
    assert re.findall(r'"amount":"(-?299.00)"', output) == ["-299.00", "299.00"]


def session_named_in(answer: Path) -> str:
    """Wait for the checkout's answer and return its gateway session id."""
    for _ in range(300):
        if answer.exists() and (found := re.search("sbx_[0-9a-z]+", answer.read_text())):
            return found[0]
        time.sleep(0.1)
    raise AssertionError(f"No checkout: {answer.read_text() if answer.exists() else 'no answer'}")
