"""`make run GATEWAY=stripe-fake` or `yookassa-fake` runs the fake as a child and points the site at it."""

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


def first_answer(url, **more):
    """Return the JSON that a server answers once it listens."""
    give_up = time.monotonic() + 10
    while True:
        try:
            return requests.get(url, timeout=5, **more).json()
        except requests.ConnectionError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.05)


@pytest.mark.parametrize("gateway", ["stripe", "yookassa"])
def test_it_runs_and_the_settings_lead_to_it(monkeypatch, gateway):
    monkeypatch.setenv("GATEWAY", f"{gateway}-fake")
    fake = fake_gateways.chosen()
    assert fake
    environment = fake.environment()
    assert environment["PAYMENT_GATEWAYS"] == f"{gateway},sandbox"
    assert f"http://127.0.0.1:8123/webhooks/{gateway}/" in fake.command()
    base = environment[f"{gateway.upper()}_API_BASE"]
    with subprocess.Popen(fake.command(), stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        assert base in child.stdout.readline()
        if gateway == "stripe":
            key = environment["STRIPE_SECRET_KEY"]
            headers = {"Authorization": f"Bearer {key}", "Stripe-Version": "2026-10-28.endive"}
            assert first_answer(f"{base}/v1/refunds", headers=headers)["data"] == []
        else:
            login = (environment["YOOKASSA_SHOP_ID"], environment["YOOKASSA_SECRET_KEY"])
            assert first_answer(f"{base}/v3/refunds", auth=login)["items"] == []
        child.terminate()
        assert child.wait(timeout=10) == 0


def test_an_unknown_one_is_refused(monkeypatch):
    monkeypatch.setenv("GATEWAY", "paypal")
    with pytest.raises(ValueError, match="GATEWAY is 'paypal', but must be stripe-fake or yookassa-fake"):
        fake_gateways.chosen()


def test_in_production_it_is_refused(monkeypatch):
    monkeypatch.setenv("GATEWAY", "stripe-fake")
    monkeypatch.setenv("LOCAL", "0")
    with pytest.raises(ValueError, match="own machine only"):
        fake_gateways.chosen()
