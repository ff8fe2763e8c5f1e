import pytest

from ledger import wallets
from ledger.models import Account
from ledger.money import NotMoney

pytestmark = pytest.mark.django_db


def test_a_customer_has_one_wallet_for_each_currency(alice, mallory):
    euros = wallets.wallet_id_of(alice.pk, "EUR")
    assert wallets.wallet_id_of(alice.pk, "EUR") == euros
    others = {wallets.wallet_id_of(alice.pk, "RUB"), wallets.wallet_id_of(mallory.pk, "EUR")}
    assert len(others | {euros}) == 3
    row = Account.objects.get(pk=euros)
    assert (row.kind, row.owner, row.currency, row.balance) == ("wallet", alice, "EUR", 0)


def test_a_debt_is_a_separate_account(alice):
    debt = wallets.debt_id_of(alice.pk, "EUR")
    assert debt != wallets.wallet_id_of(alice.pk, "EUR")
    assert Account.objects.get(pk=debt).kind == "debt"


def test_an_existing_wallet_costs_one_query(alice, django_assert_num_queries):
    wallets.wallet_id_of(alice.pk, "EUR")
    with django_assert_num_queries(1):
        wallets.wallet_id_of(alice.pk, "EUR")


def test_an_unknown_currency_opens_no_wallet(alice):
    with pytest.raises(NotMoney):
        wallets.wallet_id_of(alice.pk, "XXX")
    assert not Account.objects.exists()
