"""Prices on sale: lookup for customers, and new versions."""

from datetime import UTC, datetime
from functools import partial

import pytest

from accounts.models import User
from subscriptions import catalogue
from subscriptions.models import Plan, Price
from tests.concurrency.sessions import at_once
from tests.subscriptions.shop import sell, wallet

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.django_db
def test_a_plan_is_found_by_its_code_or_its_row() -> None:
    price = sell("basic", RUB=990_00)
    assert catalogue.current("basic", "RUB") == catalogue.current(price["RUB"].plan, "RUB") == price["RUB"]


@pytest.mark.django_db
@pytest.mark.parametrize("code", ["nothing", "", "a" * 1000, "base'; --"])
def test_an_unknown_plan_is_not_found(code: str) -> None:
    sell("basic", RUB=990_00)
    with pytest.raises(catalogue.PlanNotFound):
        catalogue.current(code, "RUB")


@pytest.mark.django_db
def test_hidden_plans_and_plans_without_a_current_price_are_not_on_sale() -> None:
    sell("hidden", is_public=False, RUB=1)
    sell("old", RUB=1)["RUB"].plan.prices.update(archived_at=NOW)
    for code in ("hidden", "old"):
        with pytest.raises(catalogue.PlanNotFound):
            catalogue.current(code, "RUB")


@pytest.mark.django_db
def test_the_error_for_an_unsold_currency_lists_the_sold_ones() -> None:
    sell("basic", RUB=990_00, EUR=9_99)
    with pytest.raises(catalogue.PlanNotSoldInCurrency) as refused:
        catalogue.current("basic", "JPY")
    assert "EUR, RUB" in refused.value.detail
    assert "'JPY'" in refused.value.detail


@pytest.mark.django_db
def test_the_default_currency_is_the_plans_or_the_wallets_only_one(alice: User, mallory: User) -> None:
    one = sell("one", EUR=100)
    two = sell("two", EUR=100, RUB=9900)
    assert catalogue.chosen("one", customer=alice, currency=None) == one["EUR"]
    with pytest.raises(catalogue.CurrencyRequired, match="EUR, RUB"):
        catalogue.chosen("two", customer=alice, currency=None)
    wallet(alice, "RUB")
    assert catalogue.chosen("two", customer=alice, currency=None) == two["RUB"]
    assert catalogue.chosen("two", customer=alice, currency="EUR") == two["EUR"]
    wallet(alice, "EUR")
    with pytest.raises(catalogue.CurrencyRequired):
        catalogue.chosen("two", customer=alice, currency=None)
    wallet(mallory, "JPY")  # the only wallet, in a currency in which the plan is not sold
    with pytest.raises(catalogue.CurrencyRequired):
        catalogue.chosen("two", customer=mallory, currency=None)


@pytest.mark.django_db
def test_a_new_version_replaces_the_old_one_and_keeps_the_other_terms() -> None:
    old = sell("basic", trial_days=14, grace_days=3, RUB=990_00)["RUB"]
    new = catalogue.new_version(old, now=NOW, amount=1190_00)
    old.refresh_from_db()
    assert (old.archived_at, old.amount) == (NOW, 990_00)
    assert (new.version, new.amount, new.trial_days, new.grace_days) == (2, 1190_00, 14, 3)
    assert catalogue.current("basic", "RUB") == new


@pytest.mark.django_db
def test_an_archived_version_cannot_get_a_new_version() -> None:
    old = sell("basic", RUB=990_00)["RUB"]
    catalogue.new_version(old, now=NOW, amount=1190_00)
    with pytest.raises(catalogue.PriceNotCurrent):
        catalogue.new_version(old, now=NOW, amount=1)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "terms",
    [{"amount": -1}, {"amount": 10**13}, {"interval": "fortnight"}, {"interval_count": 0}, {"metered": True},
     {"grace_days": 28}],
)  # fmt: skip
def test_invalid_terms_change_nothing(terms: catalogue.PriceTerms) -> None:
    old = sell("basic", RUB=990_00)["RUB"]
    with pytest.raises(catalogue.TermsInvalid):
        catalogue.new_version(old, now=NOW, **terms)
    assert catalogue.current("basic", "RUB") == old


@pytest.mark.django_db
def test_a_plan_put_on_sale_again_gets_the_next_version() -> None:
    plan = sell("basic", RUB=990_00)["RUB"].plan
    plan.prices.update(archived_at=NOW)
    assert catalogue.first_version(plan, now=NOW, currency="RUB", amount=500).version == 2
    with pytest.raises(catalogue.TermsInvalid):  # it is on sale now
        catalogue.first_version(plan, now=NOW, currency="RUB", amount=500)


@pytest.mark.django_db(transaction=True)
def test_one_of_several_simultaneous_new_versions_wins() -> None:
    old = sell("basic", RUB=990_00)["RUB"]

    def change(amount: int) -> str:
        try:
            return f"version {catalogue.new_version(old, now=NOW, amount=amount).version}"
        except catalogue.PriceNotCurrent as refused:
            return refused.code

    answers = sorted(at_once([partial(change, amount) for amount in range(1, 7)]))
    assert answers == ["price_is_not_current"] * 5 + ["version 2"]
    assert list(Price.objects.filter(archived_at=None).values_list("version", flat=True)) == [2]
    assert Plan.objects.get().prices.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("terms", "can_pause"),
    [({}, False), ({"metered": True, "interval": "hour"}, True), ({"can_pause": True}, True),
     ({"metered": True, "interval": "hour", "can_pause": False}, False)],
)  # fmt: skip
def test_as_usual_a_meter_can_be_paused_and_a_paid_period_cannot(terms: catalogue.PriceTerms, can_pause: bool) -> None:
    plan = Plan.objects.create(code="new", name="New")
    terms["amount"] = 100_00
    price = catalogue.first_version(plan, now=NOW, currency="RUB", **terms)
    assert (price.can_pause, price.can_refund_unused, price.keep_days, price.trial_quantity_max) == (
        can_pause, True, 30, 10,
    )  # fmt: skip


@pytest.mark.django_db
def test_a_new_version_keeps_what_the_seller_decided() -> None:
    price = sell("strict", RUB=100_00, keep_days=7, trial_quantity_max=3, can_pause=False, can_refund_unused=False)
    made = catalogue.new_version(price["RUB"], now=NOW, amount=120_00)
    assert (made.keep_days, made.trial_quantity_max, made.can_pause, made.can_refund_unused) == (7, 3, False, False)
