"""Staff read reports, discrepancies and payouts in the admin, and change none of them."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from accounts.models import User
from payments import payouts
from payments.gateways.aftermath import PayoutSnapshot
from payments.models import Discrepancy, GatewayReport, Payout

pytestmark = pytest.mark.django_db


@pytest.fixture
def report() -> GatewayReport:
    now = timezone.now()
    report = GatewayReport.objects.create(gateway="sandbox", since=now, until=now, started_at=now, left=1)
    Discrepancy.objects.create(report=report, kind="missing_here", gateway_id="sbx_lost", theirs="succeeded, 5.00 EUR")
    return report


@pytest.fixture
def payout() -> Payout:
    sent = PayoutSnapshot(gateway_id="po_1", amount=971_00, currency="RUB", arrived_at=timezone.now())
    return payouts.record("sandbox", sent, now=timezone.now())[0]


@pytest.fixture
def reader(client: Client, staff: User) -> Client:
    names = ["view_gatewayreport", "view_discrepancy", "view_payout"]
    staff.user_permissions.add(*Permission.objects.filter(codename__in=names))
    client.force_login(staff)
    return client


def test_staff_read_a_report_with_what_it_found(reader: Client, report: GatewayReport) -> None:
    for page in ("gatewayreport/", f"gatewayreport/{report.pk}/change/", "discrepancy/?q=sbx_lost"):
        answer = reader.get(f"/admin/payments/{page}")
        assert answer.status_code == 200
        assert "sandbox" in answer.content.decode()
    assert "succeeded, 5.00 EUR" in reader.get(f"/admin/payments/gatewayreport/{report.pk}/change/").content.decode()


def test_staff_read_payouts_with_their_currency(reader: Client, payout: Payout) -> None:
    for page in ("payout/", f"payout/{payout.pk}/change/"):
        assert "₽971.00" in reader.get(f"/admin/payments/{page}").content.decode()


def test_nobody_changes_them(reader: Client, report: GatewayReport, payout: Payout, superuser: User) -> None:
    reader.force_login(superuser)
    for page in ("gatewayreport/add/", f"gatewayreport/{report.pk}/delete/", f"payout/{payout.pk}/change/"):
        assert reader.post(f"/admin/payments/{page}", {"post": "yes"}).status_code == 403
