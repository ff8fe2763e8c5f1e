"""Programs that read the OpenAPI document: Schemathesis, which tries every operation, and clients that are generated.

SCHEMATHESIS_CASES=700 sends up to so many cases for each operation, more than 30,000 in all, in all phases.
"""

import json
import os
import subprocess
import sys
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openapi_generator_cli
import openapi_python_client
import pytest
import schemathesis
from pytest_django.live_server_helper import LiveServer
from rest_framework_simplejwt.tokens import AccessToken

from accounts import tokens
from accounts.models import User
from ledger.models import Transaction
from payments.collection import checkout_consents
from subscriptions.models import Subscription
from tests.conftest import PASSWORD
from tests.subscriptions.shop import client, pay_in, sell

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parent.parent.parent
CASES = os.environ.get("SCHEMATHESIS_CASES", "")
PHASES = "examples,coverage,fuzzing,stateful" if CASES else "examples,fuzzing"
HERE = Path(__file__).parent
HOOKS = "tests.flows.schemathesis_hooks"
# What openapi-generator says about itself, about schemas that stand where they are used, and about `from` of a list,
# which it calls `var_from`.
NOT_ABOUT_US = (
    "OpenAPI 3.1 support is still in beta", "Failed to get the schema name: null",
    "From (reserved word) cannot be used as model name",
)  # fmt: skip
AMOUNTS = ["150", "1342.00", "990.5", 500, 1342.5]
CONFIG = HERE / "schemathesis.toml"
TOUR = Path(__file__).with_name("client_tour.py")


@pytest.fixture(autouse=True)
def _shop(settings: Any, alice: User, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.API_RATES = dict.fromkeys(settings.API_RATES, "1000000/m")
    settings.SITE_URL = live_server.url
    # A run of 30,000 cases takes longer than a token lives.
    monkeypatch.setattr(AccessToken, "lifetime", timedelta(hours=6))
    sell("basic", RUB=990_00)
    sell("standard", RUB=1990_00)
    pay_in(alice, 50_000_00, at=datetime.now(UTC))
    client(alice).post("/api/subscriptions/", {"plan": "basic"})


def run(*command: str, place: Path, seconds: int, **variables: str) -> str:
    """Run a program in a folder and return what it says; fail if it fails."""
    done = subprocess.run(
        command, cwd=place, env=os.environ | variables, capture_output=True, text=True, timeout=seconds, check=False
    )
    said = done.stdout[-20_000:] + done.stderr[-4000:]
    assert done.returncode == 0, said
    return said


def shop_knows(site: str) -> dict[str, list[Any]]:
    """Return the values of the shop, by the name of the field or parameter."""
    paid_in = Transaction.objects.earliest("id").pk
    # Every calendar and every time zone has them.
    times = ["2026-01-31T12:00:00Z", "2027-06-01T00:30:00+03:00"]
    return {
        "plan": ["basic", "standard", "Basic"],
        "code": ["basic", "standard"],
        "currency": ["RUB"],
        "gateway": ["sandbox"],
        "subscription": [Subscription.objects.get().public_id],
        "success_url": [f"{site}/thanks"],
        "cancel_url": [f"{site}/prices"],
        "renewal_words": [checkout_consents.words()],
        "current_password": [PASSWORD],
        "time_zone": ["", "Europe/Moscow"],
        "cursor": [b64encode(f"p={paid_in}".encode()).decode()],
        "from": times, "to": times, "created_after": times, "created_before": times,
        # In the decimals of the currency, and within what its payments may be.
        "value": AMOUNTS, "amount": AMOUNTS, "threshold": AMOUNTS, "monthly_cap": AMOUNTS,
    }  # fmt: skip


def test_no_request_gets_an_answer_that_the_document_does_not_allow(
    live_server: LiveServer, alice: User, tmp_path: Path
) -> None:
    assert schemathesis.__version__
    access = tokens.issue(alice, now=datetime.now(UTC)).access
    said = run(
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run",
        f"{live_server.url}/api/schema/?format=json",
        # All checks are on. Named here, they would be on where the configuration says why one is not.
        "--header", f"Authorization: Bearer {access}", "--phases", PHASES,
        "--max-examples", CASES or "5", "--continue-on-failure", "--no-color",
        # It would end the session of all others.
        "--exclude-operation-id", "auth_logout_create", *([] if CASES else ["--seed", "1"]),
        place=tmp_path, seconds=6 * 3600 if CASES else 600,
        SCHEMATHESIS_HOOKS=HOOKS,
        SHOP_KNOWS=json.dumps(shop_knows(live_server.url)), PYTHONPATH=str(ROOT),
    )  # fmt: skip
    assert "Tested: 46" in said, said


def take_the_tour(generator: str, place: Path, site: str) -> None:
    run(sys.executable, str(TOUR), generator, str(place), site, PASSWORD, place=place, seconds=300)


def test_a_client_of_openapi_python_client_takes_the_tour(live_server: LiveServer, tmp_path: Path) -> None:
    assert openapi_python_client.__version__
    (tmp_path / "config.yml").write_text("package_name_override: billing_client\npost_hooks: []\n")
    generate = "from openapi_python_client.cli import app; app()"
    said = run(
        sys.executable, "-c", generate, "generate", "--url", f"{live_server.url}/api/schema/?format=json",
        "--config", "config.yml", "--meta", "none", place=tmp_path, seconds=300,
    )  # fmt: skip
    assert "warning" not in said.lower(), said
    take_the_tour("openapi-python-client", tmp_path, live_server.url)


def test_a_client_of_openapi_generator_takes_the_tour(live_server: LiveServer, tmp_path: Path) -> None:
    said = run(
        sys.executable, "-c", f"from {openapi_generator_cli.__name__} import cli; cli()", "generate",
        "--generator-name", "python", "--input-spec", f"{live_server.url}/api/schema/?format=json", "--output", ".",
        "--package-name", "billing_client", place=tmp_path, seconds=300,
    )  # fmt: skip
    warnings = [line for line in said.splitlines() if " WARN " in line]
    assert [line for line in warnings if not any(words in line for words in NOT_ABOUT_US)] == [], said
    take_the_tour("openapi-generator", tmp_path, live_server.url)
