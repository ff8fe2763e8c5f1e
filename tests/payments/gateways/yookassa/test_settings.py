import pytest

from payments.gateways.yookassa.gateway import YooKassa


@pytest.fixture(autouse=True)
def _good(settings):
    settings.YOOKASSA_SHOP_ID, settings.YOOKASSA_SECRET_KEY = "100500", "live_abcdef"


def test_good_settings_have_no_problem():
    assert YooKassa().is_configured()
    assert YooKassa().problems() == []


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("SHOP_ID", "", "YOOKASSA_SHOP_ID must be the number of the shop"),
        ("SHOP_ID", "shop", "YOOKASSA_SHOP_ID must be the number of the shop"),
        ("SECRET_KEY", "", "YOOKASSA_SECRET_KEY is blank"),
        ("API_BASE", "http://api.example.com", "YOOKASSA_API_BASE must begin with https://"),
        ("API_BASE", "api.yookassa.ru", "YOOKASSA_API_BASE must begin with https://"),
        ("CURRENCIES", ["RUB", "ROUBLE"], "YOOKASSA_CURRENCIES has ROUBLE"),
        ("NETWORKS", ["185.71.76.0/27", "yookassa.ru"], "YOOKASSA_NETWORKS: 'yookassa.ru'"),
        ("NETWORKS", ["185.71.76.1/27"], "YOOKASSA_NETWORKS: 185.71.76.1/27 has host bits set"),
        ("NETWORKS", ["0.0.0.0/0"], "YOOKASSA_NETWORKS has 0.0.0.0/0: anybody could send us webhooks"),
        ("VAT_CODE", "13", "YOOKASSA_VAT_CODE must be a number from 1 to 12"),
        ("VAT_CODE", "20%", "YOOKASSA_VAT_CODE must be a number from 1 to 12"),
        ("TAX_SYSTEM", "1", "YOOKASSA_TAX_SYSTEM is set without YOOKASSA_VAT_CODE"),
    ],
)
def test_a_wrong_setting_is_named(settings, name, value, problem):
    setattr(settings, f"YOOKASSA_{name}", value)
    found = YooKassa().problems()
    assert len(found) == 1
    assert found[0].startswith(problem)


@pytest.mark.parametrize(
    ("name", "value"), [("TAX_SYSTEM", "7"), ("PAYMENT_SUBJECT", "nothing"), ("PAYMENT_MODE", "later")]
)
def test_a_wrong_setting_of_receipts_is_named(settings, name, value):
    settings.YOOKASSA_VAT_CODE = "1"
    setattr(settings, f"YOOKASSA_{name}", value)
    [problem] = YooKassa().problems()
    assert problem.startswith(f"YOOKASSA_{name} must be ")


@pytest.mark.parametrize("name", ["YOOKASSA_SHOP_ID", "YOOKASSA_SECRET_KEY"])
def test_without_its_keys_it_is_not_configured(settings, name):
    setattr(settings, name, "")
    assert not YooKassa().is_configured()


def test_the_keys_of_a_test_shop_are_good_settings(settings):
    settings.YOOKASSA_SECRET_KEY = "test_abcdef"
    assert YooKassa().problems() == []


def test_forms_lead_to_yookassas_page_or_to_the_fakes(settings):
    assert YooKassa().can.form_targets == ("https://yoomoney.ru", "https://yookassa.ru")
    settings.YOOKASSA_API_BASE = "http://127.0.0.1:8766/"
    assert YooKassa().can.form_targets == ("http://127.0.0.1:8766",)


def test_it_takes_the_currency_of_the_shop_within_limits():
    can = YooKassa().can
    assert can.takes("RUB", 1_00)
    assert can.takes("RUB", 1_000_000_00)
    assert not can.takes("RUB", 99)
    assert not can.takes("RUB", 1_000_000_01)
    assert not can.takes("EUR")
    assert can.longest_page is None


def test_an_unknown_currency_is_not_taken(settings):
    settings.YOOKASSA_CURRENCIES = ["RUB", "ROUBLE"]
    assert list(YooKassa().can.currencies) == ["RUB"]
