"""`make run GATEWAY=stripe-fake` runs the fake as a child and points the site at it."""

import subprocess
import time

import pytest
import requests

from billing_site.local import fake_gateways


@pytest.fixture(autouse=True)
def _local(monkeypatch):
    monkeypatch.setenv("LOCAL", "1")
    monkeypatch.setenv("PORT", "8123")
    monkeypatch.delenv("SITE_URL", raising=False)


def test_without_the_variable_there_is_none(monkeypatch):
    for blank in (None, ""):
        monkeypatch.delenv("GATEWAY", raising=False) if blank is None else monkeypatch.setenv("GATEWAY", blank)
        assert fake_gateways.chosen() is None


def test_it_runs_and_the_settings_lead_to_it(monkeypatch):
    monkeypatch.setenv("GATEWAY", "stripe-fake")
    fake = fake_gateways.chosen()
    assert fake
    environment = fake.environment()
    assert environment["PAYMENT_GATEWAYS"] == "stripe,sandbox"
    assert "http://127.0.0.1:8123/webhooks/stripe/" in fake.command()
    with subprocess.Popen(fake.command(), stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        assert environment["STRIPE_API_BASE"] in child.stdout.readline()
        headers = {"Authorization": f"Bearer {environment['STRIPE_SECRET_KEY']}", "Stripe-Version": "2026-10-28.endive"}
        url = f"{environment['STRIPE_API_BASE']}/v1/refunds"
        give_up = time.monotonic() + 10
        while time.monotonic() < give_up:
            try:
                assert requests.get(url, headers=headers, timeout=5).json()["data"] == []
                break
            except requests.ConnectionError:
                time.sleep(0.05)
        child.terminate()
        assert child.wait(timeout=10) == 0


def test_an_unknown_one_is_refused(monkeypatch):
    monkeypatch.setenv("GATEWAY", "paypal")
    with pytest.raises(ValueError, match="GATEWAY is 'paypal', but must be stripe-fake"):
        fake_gateways.chosen()


def test_in_production_it_is_refused(monkeypatch):
    monkeypatch.setenv("GATEWAY", "stripe-fake")
    monkeypatch.setenv("LOCAL", "0")
    with pytest.raises(ValueError, match="own machine only"):
        fake_gateways.chosen()
