"""Every customer page is light, whatever the customer has: at most 12 queries, and 40 KB on the first view."""

import gzip
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests import rich_customer
from tests.web import put_on_sale

QUERIES, BYTES = 12, 40_000
# Sent with the first page: style, script and icons.
FILES = ("app.css", "app.js", "icons.svg")


@pytest.fixture
def pages(db: None, alice: Any) -> list[str]:
    now = datetime.now(UTC)
    put_on_sale(now=now)
    return [*rich_customer.PLAIN, *rich_customer.make(alice, now=now).own]


@pytest.mark.parametrize("prefix", ["", "/ru"])
def test_every_page_takes_12_queries_and_40_kb_at_most(alice, pages, prefix):
    client = Client()
    client.force_login(alice)
    client.get("/account/settings/")
    files = sum(len(gzip.compress((Path(settings.BASE_DIR) / "static" / name).read_bytes(), 9)) for name in FILES)
    heavy = {}
    for address in pages:
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(prefix + address)
        assert answer.status_code == 200, address
        html, sent = len(answer.content), len(gzip.compress(answer.content, 6)) + files
        # The sandbox is a remote gateway that has its tables in the same database.
        own = [query for query in queries.captured_queries if "sandbox_" not in query["sql"]]
        if len(own) > QUERIES or html > BYTES or sent > BYTES:
            heavy[address] = (len(own), html, sent)
    assert heavy == {}
