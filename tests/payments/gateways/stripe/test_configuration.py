"""What is wrong with the settings is said in a line that names the variable."""

import pytest
import stripe

from payments.gateways.base import Gateway
from payments.gateways.errors import GatewayError
from payments.gateways.stripe import client
from payments.gateways.stripe.gateway import Stripe

KEY, SECRET = "sk_test_" + "k" * 24, "whsec_" + "s" * 32


@pytest.fixture(autouse=True)
def _good(settings):
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET, settings.STRIPE_API_BASE = KEY, SECRET, ""


@pytest.mark.parametrize("key", [KEY, KEY.replace("sk_test", "rk_live"), KEY.replace("test", "live")])
def test_good_settings_have_no_problem(settings, key):
    settings.STRIPE_SECRET_KEY = key
    assert Stripe().problems() == []
    assert Stripe().is_configured()


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("STRIPE_SECRET_KEY", "", "blank"),
        ("STRIPE_SECRET_KEY", "  ", "blank"),
        ("STRIPE_SECRET_KEY", "pk_live_" + "k" * 24, "publishable"),
        ("STRIPE_SECRET_KEY", "whsec_" + "k" * 24, "malformed"),
        ("STRIPE_SECRET_KEY", "sk_live_", "malformed"),
        ("STRIPE_SECRET_KEY", f"{KEY} {KEY}", "malformed"),
        ("STRIPE_WEBHOOK_SECRET", "", "blank"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_short", "malformed"),
        ("STRIPE_WEBHOOK_SECRET", KEY, "malformed"),
        ("STRIPE_WEBHOOK_SECRET", f"{SECRET} oops", "malformed"),
        ("STRIPE_API_BASE", "http://stripe.example", "must be blank"),
        ("STRIPE_API_BASE", "nonsense", "must be blank"),
    ],
)
def test_a_problem_names_its_variable(settings, name, value, word):
    setattr(settings, name, value)
    (problem,) = Stripe().problems()
    assert problem.startswith(name)
    assert word in problem
    assert "k" * 24 not in problem


def test_a_live_key_goes_to_stripe_only(settings):
    settings.STRIPE_SECRET_KEY = "sk_live_" + "k" * 24
    settings.STRIPE_API_BASE = "https://proxy.example"
    (problem,) = Stripe().problems()
    assert problem.startswith("STRIPE_API_BASE")


def test_two_secrets_are_fine(settings):
    settings.STRIPE_WEBHOOK_SECRET = f"{SECRET} whsec_{'t' * 32}"
    assert Stripe().problems() == []


def test_without_a_key_it_is_not_configured_and_asks_nobody(settings):
    settings.STRIPE_SECRET_KEY = ""
    gateway: Gateway = Stripe()
    assert not gateway.is_configured()
    with pytest.raises(GatewayError) as caught:
        gateway.fetch("cs_1")
    assert (caught.value.permanent, caught.value.code) == (False, "not_configured")


def test_the_version_that_is_asked_for_is_the_one_of_the_sdks_types():
    assert stripe.api_version == client.API_VERSION


def test_forms_lead_to_stripes_page_or_to_the_fakes(settings):
    assert Stripe().can.form_targets == ("https://checkout.stripe.com",)
    settings.STRIPE_API_BASE = "http://127.0.0.1:8012/"
    assert Stripe().can.form_targets == ("http://127.0.0.1:8012",)
