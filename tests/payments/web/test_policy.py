"""Pages whose forms lead to a gateway allow just the offered gateways, beside the setting."""

import re
from typing import Any

import pytest
from django.test import Client

from tests.payments import faulty_gateway


def targets(page: Any) -> str:
    found = re.search("form-action ([^;]+)", page["Content-Security-Policy"])
    return found.group(1) if found else ""


@pytest.fixture(autouse=True)
def _euros_too(settings: Any) -> None:
    settings.GATEWAY_CLASSES = settings.GATEWAY_CLASSES | {"euros": faulty_gateway.EUROS}
    settings.PAYMENT_GATEWAYS = ["sandbox", "euros"]


@pytest.mark.parametrize("path", ["/topup/", "/checkout/basic/", "/account/"])
def test_forms_may_lead_to_the_offered_gateways(browser: Client, path: str) -> None:
    assert targets(browser.get(path)) == "'self' https://pay.example"


def test_a_retired_gateway_stays_allowed_while_it_has_keys(browser: Client, settings: Any) -> None:
    """Its pages that are open can still be gone to."""
    settings.PAYMENT_GATEWAYS = ["sandbox"]
    assert targets(browser.get("/topup/")) == "'self' https://pay.example"
    settings.GATEWAY_CLASSES = {"sandbox": settings.GATEWAY_CLASSES["sandbox"]}
    assert targets(browser.get("/topup/")) == "'self'"


def test_other_pages_lead_nowhere_else(browser: Client) -> None:
    assert targets(browser.get("/account/settings/")) == "'self'"
