"""Create the groups of staff, each with just its permissions. A superuser may change them afterwards."""

from typing import Any

from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.db import migrations

PEOPLE = ["accounts.view_user", "events.view_event", "events.view_mail", "events.view_unreachableaddress"]
MONEY = [
    "ledger.view_account", "ledger.view_transaction", "payments.view_payment", "payments.view_refund",
    "payments.view_dispute", "payments.view_paymentmethod", "payments.view_methodsetup", "payments.view_consent",
    "payments.view_adjustment", "payments.view_autotopup", "payments.view_collection", "payments.view_collectionplan",
    "manual.view_manualtransfer", "manual.view_manualreceipt", "manual.view_manualrefund",
]  # fmt: skip
SOLD = [
    "subscriptions.view_plan", "subscriptions.view_price", "subscriptions.view_subscription",
    "subscriptions.view_billingclock",
]  # fmt: skip
BOOKS = ["payments.view_payout", "payments.view_gatewayreport", "payments.view_discrepancy"]
WORKINGS = ["payments.view_webhookevent", "core.view_taskrun", "core.view_ledgercheck"]
GROUPS = {
    "support": [
        *PEOPLE, *MONEY, *SOLD,
        "accounts.help_user", "accounts.block_user", "accounts.view_as_user", "events.view_staffact",
        "events.change_mail", "events.change_unreachableaddress", "payments.refund_payment",
        "payments.add_adjustment", "subscriptions.add_subscription", "subscriptions.change_subscription",
    ],
    "finance": [
        *PEOPLE, *MONEY, *SOLD, *BOOKS, "core.view_ledgercheck", "events.view_staffact",
        "payments.refund_payment", "payments.decide_payment", "payments.change_payment", "payments.change_refund",
        "payments.change_dispute", "payments.change_collection", "payments.change_collectionplan",
        "payments.change_discrepancy", "payments.add_payout", "payments.add_gatewayreport",
        "manual.change_manualtransfer", "manual.change_manualreceipt", "manual.change_manualrefund",
        "payments.add_adjustment", "payments.approve_adjustment", "ledger.export_transaction", "ledger.view_figures",
    ],
    "catalogue": [
        *SOLD, "subscriptions.add_plan", "subscriptions.change_plan", "subscriptions.add_price",
        "subscriptions.change_price",
    ],
    "developer": [
        *PEOPLE, *MONEY, *SOLD, *BOOKS, *WORKINGS, "events.view_staffact", "events.change_mail",
        "events.change_unreachableaddress", "payments.change_webhookevent", "payments.change_methodsetup",
        "subscriptions.change_billingclock",
    ],
    "auditor": [
        *PEOPLE, *MONEY, *SOLD, *BOOKS, *WORKINGS, "events.view_staffact", "ledger.export_transaction",
        "ledger.view_figures",
    ],
}  # fmt: skip


def create(apps: Apps, schema_editor: Any) -> None:
    """Create the groups that are not there yet, with their permissions."""
    # Django creates permissions only when all migrations are done.
    for config in apps.get_app_configs():
        config.models_module = True  # type: ignore[assignment]
        create_permissions(config, apps=apps, verbosity=0)
        config.models_module = None
    groups, permissions = (apps.get_model("auth", name).objects for name in ("Group", "Permission"))
    for name, wanted in GROUPS.items():
        group, is_new = groups.get_or_create(name=name)
        if is_new:
            for each in wanted:
                label, codename = each.split(".")
                group.permissions.add(permissions.get(content_type__app_label=label, codename=codename))


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_staff_permissions"),
        ("core", "0005_idempotency_key_sessions"),
        ("events", "0004_staff_acts"),
        ("ledger", "0005_staff_permissions"),
        ("subscriptions", "0009_parked_rows"),
        ("payments", "0021_adjustments"),
        ("manual", "0003_receipts_taken_back"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
