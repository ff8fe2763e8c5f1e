"""The list of a customer's payments: what each was for, what has become of it, and its receipt."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from payments.web import payment_list
from payments.web.payment_page import PageState
from tests.payments.web.test_payment_page_states import EXAMPLES, stored
from tests.web import heading, words

LIST = "/account/payments/"
TAGS = {
    PageState.UNOPENED: "Not finished", PageState.CREATED: "Not finished", PageState.ACTION: "Not finished",
    PageState.PROCESSING: "On its way", PageState.LATE: "On its way", PageState.PART_ARRIVED: "On its way",
    PageState.CHECKING: "Being checked", PageState.CLOSING: "Not needed any more", PageState.SUCCEEDED: "Paid",
    PageState.PARTLY_REFUNDED: "Partly refunded", PageState.REFUNDED: "Refunded", PageState.FAILED: "Declined",
    PageState.REFUSED: "Declined", PageState.CANCELLED: "Not paid", PageState.EXPIRED: "Expired",
}  # fmt: skip
WITH_RECEIPT = {PageState.SUCCEEDED, PageState.PARTLY_REFUNDED, PageState.REFUNDED}


def tags(page) -> list[str]:
    """Return the status words of the rows."""
    return [
        re.sub("<.*?>", "", tag) for tag in re.findall(r'<span class="tag[^"]*">(.*?)</span>', page.content.decode())
    ]


@pytest.mark.parametrize("state", PageState)
def test_each_payment_says_what_has_become_of_it(browser, alice, state):
    fields, seconds = EXAMPLES[state]
    payment = stored(alice, datetime.now(UTC) - timedelta(seconds=seconds), **fields)
    page = browser.get(LIST)
    assert heading(page) == "Payments"
    assert "Standard" in words(page)
    assert "€34.80" in words(page)
    assert tags(page) == [TAGS[state]]
    html = page.content.decode()
    assert f'href="/pay/{payment.public_id}/"' in html
    assert (f'href="/pay/{payment.public_id}/receipt/"' in html) is (state in WITH_RECEIPT)
    assert tags(browser.get(f"/ru{LIST}")) != tags(page)


def test_the_newest_is_first_and_older_ones_follow_on_the_next_page(browser, alice, now, monkeypatch):
    monkeypatch.setattr(payment_list, "PAGE", 2)
    ids = [stored(alice, now + timedelta(minutes=n)).public_id for n in range(3)]
    first = browser.get(LIST).content.decode()
    listed = r'href="/pay/(pay_\w+)/"'
    assert re.findall(listed, first) == [ids[2], ids[1]]
    [older] = re.findall(r'href="(\?before=[^"]+)" rel="next"', first)
    second = browser.get(LIST + older).content.decode()
    assert re.findall(listed, second) == [ids[0]]
    assert 'rel="next"' not in second


def test_the_payments_of_others_are_not_listed(browser, mallory, now):
    theirs = stored(mallory, now)
    for query in ("", f"?before={theirs.public_id}", "?before=nonsense"):
        page = browser.get(LIST + query)
        assert page.status_code == 200
        assert theirs.public_id not in page.content.decode().partition("<main")[2].partition("</main>")[0]
        assert "Nothing here yet" in words(page)


def test_any_number_of_payments_takes_as_few_queries(browser, alice, now, django_assert_max_num_queries):
    for n in range(20):
        stored(alice, now + timedelta(seconds=n))
    with django_assert_max_num_queries(5):
        browser.get(LIST)


def test_transactions_lead_to_it_and_back(browser, alice, now):
    stored(alice, now)
    assert f'href="{LIST}"' in browser.get("/account/transactions/").content.decode()
    assert 'href="/account/transactions/"' in browser.get(LIST).content.decode()
