"""`make bench` runs each of its steps; at this size its figures mean nothing."""

import json

import pytest
from django.core.management import call_command

from billing_site.bench import figures


@pytest.mark.timeout(600)
@pytest.mark.django_db(transaction=True)
def test_every_figure_can_be_measured(monkeypatch, tmp_path):
    monkeypatch.setattr(figures, "QUICK", figures.SMALLEST)
    monkeypatch.setattr(figures, "_filled", set())
    call_command("bench", "--quick", "--json", str(tmp_path / "figures.json"))
    names = {figure["name"] for figure in json.loads((tmp_path / "figures.json").read_text())}
    assert names >= {
        "billing run", "ledger.post", "statement", "check_ledger", "engine", "webhook intake", "collection",
        "access", "wallet", "transactions", "pricing", "checkout", "desk", "scale",
    }  # fmt: skip
