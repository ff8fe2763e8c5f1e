"""The gateways that the code knows and those that customers are offered are two lists."""

from typing import Any

import pytest

from payments.gateways import registry
from payments.gateways.registry import NoGateway, UnknownGateway
from tests.payments.faulty_gateway import CARD
from tests.payments.gateways import example_gateway


@pytest.fixture(autouse=True)
def _gateways(settings: Any) -> None:
    """The site knows three gateways and offers two: `coins`, which takes euros and dollars, and the sandbox."""
    settings.GATEWAY_CLASSES = {
        "sandbox": "payments.gateways.sandbox.gateway.Sandbox",
        "card": CARD,
        "coins": example_gateway.PATH,
    }
    settings.PAYMENT_GATEWAYS = ["coins", "sandbox"]
    settings.COINS_API_KEY, settings.COINS_WEBHOOK_SECRET = "coins_test_key", "s" * 32


def test_a_gateway_is_got_by_its_name() -> None:
    assert [registry.get(name).name for name in ("sandbox", "card", "coins")] == ["sandbox", "card", "coins"]


def test_a_gateway_that_is_not_offered_any_more_is_still_got(settings: Any) -> None:
    settings.PAYMENT_GATEWAYS = ["sandbox"]
    assert registry.get("coins").name == "coins"
    assert "coins" in [gateway.name for gateway in registry.configured()]
    assert registry.names() == ["sandbox"]
    with pytest.raises(UnknownGateway):
        registry.offer("coins", "EUR")


@pytest.mark.parametrize("name", ["acme", "", "Sandbox", "__class__"])
def test_a_name_that_the_code_does_not_know_is_unknown(name: str) -> None:
    with pytest.raises(UnknownGateway):
        registry.get(name)
    with pytest.raises(UnknownGateway):
        registry.offer(name, "EUR")


def test_the_refusal_names_only_what_is_offered() -> None:
    with pytest.raises(UnknownGateway) as caught:
        registry.offer("card", "RUB")
    assert "coins, sandbox" in str(caught.value)
    assert "card," not in str(caught.value)


@pytest.mark.parametrize(("currency", "fitting"), [("EUR", ["coins", "sandbox"]), ("RUB", ["sandbox"]), ("XXX", [])])
def test_customers_are_offered_the_gateways_that_take_the_currency(currency: str, fitting: list[str]) -> None:
    assert registry.names(currency) == fitting


def test_the_default_is_the_first_gateway_that_takes_the_currency() -> None:
    assert registry.offer(None, "EUR").name == "coins"
    assert registry.offer(None, "RUB").name == "sandbox"
    assert registry.offer("sandbox", "EUR").name == "sandbox"


def test_a_currency_that_the_chosen_gateway_does_not_take_is_refused_with_those_it_takes() -> None:
    with pytest.raises(NoGateway) as caught:
        registry.offer("coins", "RUB")
    assert str(caught.value) == "coins does not take RUB. It takes EUR, USD. For RUB choose sandbox."


def test_a_currency_that_nobody_takes_is_refused(settings: Any) -> None:
    settings.PAYMENT_GATEWAYS = ["coins"]
    with pytest.raises(NoGateway):
        registry.offer(None, "RUB")
    settings.PAYMENT_GATEWAYS = []
    with pytest.raises(NoGateway) as caught:
        registry.offer(None, "EUR")
    assert str(caught.value) == "EUR cannot be paid here. Possible: -."


def test_a_gateway_without_keys_is_not_asked(settings: Any) -> None:
    settings.COINS_API_KEY = ""
    assert [gateway.name for gateway in registry.configured()] == ["sandbox", "card"]


def test_forms_may_lead_to_gateways_that_are_offered_or_have_open_payments(settings: Any) -> None:
    assert registry.form_targets() == ["https://pay.coins.example"]
    settings.PAYMENT_GATEWAYS = ["sandbox"]
    assert registry.form_targets() == ["https://pay.coins.example"]
    settings.COINS_API_KEY = ""
    assert registry.form_targets() == []


def test_problems_are_those_of_gateways_that_are_offered_or_have_keys(settings: Any) -> None:
    assert registry.problems() == []
    settings.COINS_WEBHOOK_SECRET = ""
    assert registry.problems() == ["COINS_WEBHOOK_SECRET is blank"]
    settings.PAYMENT_GATEWAYS = ["sandbox"]
    assert registry.problems() == ["COINS_WEBHOOK_SECRET is blank"]
    settings.COINS_API_KEY = ""
    assert registry.problems() == []


def test_a_name_without_a_class_is_a_problem_and_is_not_offered(settings: Any) -> None:
    settings.PAYMENT_GATEWAYS = ["acme", "sandbox"]
    assert registry.problems() == ["PAYMENT_GATEWAYS names 'acme', which is none of sandbox, card, coins"]
    assert registry.names() == ["sandbox"]
