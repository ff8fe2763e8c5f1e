"""Acts on the page of a customer: which are offered, and the way back to it from their pages."""

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from tests.payments import staff_rows
from tests.staff import member

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["block/", "credit/", "change/", "password/"])
def test_the_trail_of_pages_about_a_customer_leads_to_it(client: Client, superuser: User, alice: User, name: str):
    client.force_login(superuser)
    text = client.get(f"/admin/accounts/user/{alice.pk}/{name}").content.decode()
    trail = text[text.index('class="breadcrumbs"') :].partition("</div>")[0]
    assert f'<a href="/admin/customers/{alice.pk}/">alice</a>' in trail
    assert '<a href="/admin/accounts/user/">Customers</a>' in trail


def test_a_refund_is_not_offered_while_the_bank_may_take_the_payment_back(client: Client, alice: User, superuser: User):
    client.force_login(member("support"))
    rows = staff_rows.make(alice, superuser, now=timezone.now())
    disputed, other = rows["dispute"].payment, rows["payment"]
    text = client.get(f"/admin/customers/{alice.pk}/").content.decode()
    assert f"/admin/payments/payment/{other.pk}/refund/" in text
    assert f"/admin/payments/payment/{disputed.pk}/refund/" not in text
