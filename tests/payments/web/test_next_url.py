"""After a top-up the payment page links back to the page that sent the customer there."""

from urllib.parse import urlencode

import pytest
from django.db.models import F

from payments.models import Payment
from tests.subscriptions.shop import pay_in
from tests.web import NEAR_HALF, address, bought, words

NBSP = "\u00a0"


def test_after_a_top_up_the_payment_page_links_back_to_the_plan_change(browser, clock, alice, on_sale):
    row = bought(alice, "standard", paid_in=700_00)
    clock.move_to(NEAR_HALF)
    back = address(row, "change/") + "?plan=premium&when=now"
    top_up = browser.get("/topup/", {"currency": "RUB", "need": "1135.00", "next": back})
    carried = urlencode({"currency": "RUB", "amount": "1135.00", "next": back})
    assert f'action="?{carried.replace("&", "&amp;")}"' in top_up.content.decode()
    browser.post(
        f"/topup/?currency=RUB&amount=1135.00&next={back.replace('&', '%26')}",
        {"form_key": "form_1", "shown": "113500", "method": "sandbox"},
    )
    payment = Payment.objects.get()
    received = {"amount_received": F("amount"), "received_currency": F("currency")}
    Payment.objects.update(status="confirmed", confirmed_at=NEAR_HALF, **received)
    pay_in(alice, 1135_00, at=NEAR_HALF)
    for part in ("", "status/"):
        page = browser.get(f"/pay/{payment.public_id}/{part}").content.decode()
        assert f'href="{back.replace("&", "&amp;")}">Continue' in page
    # 345.00 come back for the time from two minutes before half of the month, until exactly then.
    assert "Pay at most ₽1,145.00 and change to Premium" in words(browser.get(back, follow=True))


@pytest.mark.parametrize(
    "url", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/" + "a" * 300, "x"]
)
def test_a_next_url_off_the_site_is_ignored(browser, url):
    answer = browser.get("/topup/", {"currency": "RUB", "next": url})
    assert answer.status_code == 200
    page = answer.content.decode().partition("<main")[2].partition("</main")[0]
    assert "next=" not in page


def test_another_payment_has_no_link_back(browser, clock):
    """A payment started without a next URL links to the account only."""
    form = {"form_key": "form_2", "shown": "50000", "method": "sandbox"}
    browser.post("/topup/?currency=RUB&amount=500", form)
    page = browser.get(f"/pay/{Payment.objects.get().public_id}/").content.decode()
    assert ">Continue</a>" not in page
