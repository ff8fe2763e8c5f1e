import json

import pytest

from payments.gateways.manual import details
from payments.gateways.manual.gateway import Manual

ACCOUNT = {"beneficiary": "Acme Ltd", "iban": "DE02", "Cash desk": "Main street 1, 10 to 18"}


def test_one_account_serves_all_currencies_that_can_be_topped_up(settings):
    settings.MANUAL_DETAILS = json.dumps(ACCOUNT)
    can = Manual().can
    assert Manual().is_configured()
    assert Manual().problems() == []
    assert set(can.currencies) == set(settings.TOP_UP_LIMITS) == {"RUB", "EUR"}
    assert can.takes("EUR", 1_00)
    assert not can.takes("EUR", 99)
    assert (can.is_manual, can.longest_page, can.form_targets) == (True, None, ())
    assert [(str(label), text) for label, text in details.of("EUR")] == [
        ("Beneficiary", "Acme Ltd"),
        ("IBAN", "DE02"),
        ("Cash desk", "Main street 1, 10 to 18"),
    ]


def test_a_currency_without_an_account_is_not_taken(settings):
    settings.MANUAL_DETAILS = json.dumps({"EUR": ACCOUNT})
    assert list(Manual().can.currencies) == ["EUR"]
    assert Manual().problems() == []
    assert details.of("RUB") == []
    settings.MANUAL_CURRENCIES = ["EUR", "RUB"]
    assert Manual().problems() == ["MANUAL_CURRENCIES has RUB, for which MANUAL_DETAILS has no account"]


def test_an_unknown_currency_is_named_and_not_taken(settings):
    settings.MANUAL_DETAILS, settings.MANUAL_CURRENCIES = json.dumps(ACCOUNT), ["RUB", "ROUBLE"]
    assert Manual().problems() == ["MANUAL_CURRENCIES has ROUBLE, which is no currency of ours"]
    assert list(Manual().can.currencies) == ["RUB"]


def test_limits_have_the_decimals_of_their_currency(settings):
    settings.MANUAL_DETAILS, settings.MANUAL_CURRENCIES = json.dumps(ACCOUNT), ["JPY", "KWD"]
    assert Manual().can.currencies == {"JPY": (1, 10_000_000), "KWD": (1_000, 10_000_000_000)}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "MANUAL_DETAILS is blank"),
        ("IBAN DE02", "MANUAL_DETAILS is not JSON"),
        ("[]", "MANUAL_DETAILS must be"),
        ("{}", "MANUAL_DETAILS must be"),
        ('{"iban": 1}', "MANUAL_DETAILS must be"),
        ('{"iban": ""}', "MANUAL_DETAILS must be"),
        ('{"EUR": {}}', "MANUAL_DETAILS must be"),
        ('{"EUR": {"iban": "DE02"}, "note": "x"}', "MANUAL_DETAILS must be"),
    ],
)
def test_details_that_cannot_be_read_are_named_and_nothing_is_offered(settings, text, problem):
    settings.MANUAL_DETAILS = text
    [found] = Manual().problems()
    assert found.startswith(problem)
    assert Manual().can.currencies == {}


def test_without_details_it_is_not_configured(settings):
    settings.MANUAL_DETAILS = ""
    assert not Manual().is_configured()


@pytest.mark.parametrize("days", [0, 367])
def test_the_days_have_limits(settings, days):
    settings.MANUAL_DETAILS, settings.MANUAL_PAGE_DAYS = json.dumps(ACCOUNT), days
    assert Manual().problems() == ["MANUAL_PAGE_DAYS must be from 1 to 366"]
