"""Who may call which URL: one row per URL name. test_policy.py fails for a URL without a row.

OK: allowed (2xx, or 4xx about the request itself). LOGIN: 401 from the API, or a redirect to the log-in page.
NOT_FOUND: 404, the same response as for an object that does not exist. FORBIDDEN: 403.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class Answer(StrEnum):
    OK = "allowed"
    LOGIN = "must log in"
    NOT_FOUND = "not found"
    FORBIDDEN = "forbidden"


OK, LOGIN, NOT_FOUND, FORBIDDEN = Answer
# In the order of the columns below. `disabled` was deactivated after logging in; `support` may view our tables.
CALLERS = ("anonymous", "disabled", "alice", "mallory", "staff", "support", "superuser")


def answers(*columns: Answer) -> dict[str, Answer]:
    """Return the answer for each of CALLERS, from answers in that order."""
    return dict(zip(CALLERS, columns, strict=True))


#                   anonymous  disabled   alice      mallory    staff      support    superuser
ANYBODY = answers(OK, OK, OK, OK, OK, OK, OK)
CUSTOMERS = answers(LOGIN, LOGIN, OK, OK, OK, OK, OK)
ALICE = answers(LOGIN, LOGIN, OK, NOT_FOUND, NOT_FOUND, NOT_FOUND, NOT_FOUND)
ALICE_OR_STAFF = answers(LOGIN, LOGIN, OK, NOT_FOUND, OK, OK, OK)
STAFF = answers(LOGIN, LOGIN, LOGIN, LOGIN, OK, OK, OK)
PERMITTED = answers(LOGIN, LOGIN, LOGIN, LOGIN, FORBIDDEN, OK, OK)
SUPERUSERS = answers(LOGIN, LOGIN, LOGIN, LOGIN, FORBIDDEN, FORBIDDEN, OK)
NO_SUCH_THING = {**CUSTOMERS, **dict.fromkeys(CALLERS[2:], NOT_FOUND)}
NOBODY = answers(   LOGIN,     LOGIN,     LOGIN,     LOGIN,     FORBIDDEN, FORBIDDEN, FORBIDDEN)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One URL: the answer for each caller, the method that is tried, and the objects in the path."""

    who: dict[str, Answer]
    method: str = "GET"
    # Parameter of the path -> key of the fixture test_policy.things. All objects are Alice's.
    address: dict[str, str] = field(default_factory=dict)


SUBSCRIPTION = {"public_id": "subscription"}
PAYMENT = {"public_id": "payment"}
METHOD = {"public_id": "method"}

API = {
    "api-schema": Row(ANYBODY),
    "api-docs": Row(ANYBODY),
    "api-register": Row(ANYBODY, "POST"),
    "api-token": Row(ANYBODY, "POST"),
    "api-token-refresh": Row(ANYBODY, "POST"),
    "api-logout": Row(ANYBODY, "POST"),
    "api-confirm-email": Row(CUSTOMERS, "POST"),
    "api-me": Row(CUSTOMERS),
    "event-list": Row(CUSTOMERS),
    "plan-list": Row(ANYBODY),
    "plan-detail": Row(ANYBODY, address={"code": "plan"}),
    "subscription-list": Row(CUSTOMERS),
    "subscription-detail": Row(ALICE, address=SUBSCRIPTION),
    "subscription-access": Row(ALICE, address=SUBSCRIPTION),
    "subscription-cancel": Row(ALICE, "POST", SUBSCRIPTION),
    "subscription-undo-cancel": Row(ALICE, "POST", SUBSCRIPTION),
    "subscription-pause": Row(ALICE, "POST", SUBSCRIPTION),
    "subscription-resume": Row(ALICE, "POST", SUBSCRIPTION),
    "subscription-start": Row(ALICE, "POST", SUBSCRIPTION),
    "subscription-change-plan": Row(ALICE, "POST", SUBSCRIPTION),
    "subscription-change-quantity": Row(ALICE, "POST", SUBSCRIPTION),
    "subscription-change-preview": Row(ALICE, address=SUBSCRIPTION),
    "user-subscriptions": Row(ALICE_OR_STAFF, address={"user_id": "alice"}),
    "user-subscriptions-by-number": Row(ALICE_OR_STAFF, address={"user_id": "alice"}),
    "wallet": Row(CUSTOMERS),
    "transaction-list": Row(CUSTOMERS),
    "transaction-detail": Row(ALICE, address={"transaction_id": "transaction"}),
    "transaction-explain": Row(ALICE, address={"transaction_id": "transaction"}),
    "payment-create-checkout-session": Row(CUSTOMERS, "POST"),
    "payment-confirm": Row(CUSTOMERS, "POST"),
    "payment-cancel": Row(CUSTOMERS, "POST"),
    "payment-cancel-subscription": Row(CUSTOMERS, "POST"),
    "payment-list": Row(CUSTOMERS),
    "payment-detail": Row(ALICE, address=PAYMENT),
    # Customers see the refunds of their own payments; staff need the permissions of the admin.
    "payment-refunds": Row(answers(LOGIN, LOGIN, FORBIDDEN, NOT_FOUND, NOT_FOUND, FORBIDDEN, OK), "POST", PAYMENT),
    "payment-top-up": Row(CUSTOMERS, "POST"),
    "payment-method-list": Row(CUSTOMERS),
    "payment-method-detail": Row(ALICE, "DELETE", METHOD),
    "consent-list": Row(CUSTOMERS),
    "consent-detail": Row(ALICE, "DELETE", {"public_id": "consent"}),
    "automatic-top-up-list": Row(CUSTOMERS),
    "automatic-top-up-detail": Row(ALICE, "DELETE", {"public_id": "rule"}),
}

PAGES = {
    "home": Row(ANYBODY),
    "pricing": Row(ANYBODY),
    "brand_stylesheet": Row(ANYBODY),
    # Without a logo in the settings there is none.
    "brand_logo": Row(dict.fromkeys(CALLERS, NOT_FOUND)),
    "errors": Row(ANYBODY),
    "error": Row(ANYBODY, address={"code": "error"}),
    "checkout": Row(CUSTOMERS, address={"code": "plan"}),
    "topup": Row(CUSTOMERS),
    "payment": Row(ALICE, address=PAYMENT),
    "payment_status": Row(ALICE, address=PAYMENT),
    "payment_return": Row(ANYBODY, address=PAYMENT),
    "receipt": Row(ALICE, address=PAYMENT),
    "receipt_pdf": Row(ALICE, address=PAYMENT),
    "payment_open": Row(ALICE, "POST", PAYMENT),
    "payment_cancel": Row(ALICE, "POST", PAYMENT),
    "account": Row(CUSTOMERS),
    "payment_method_remove": Row(ALICE, "POST", METHOD),
    "payment_method_add": Row(CUSTOMERS, "POST"),
    "payment_method_added": Row(ALICE, "GET", {"public_id": "setup"}),
    "automatic_payments": Row(CUSTOMERS),
    "automatic_payments_withdraw": Row(CUSTOMERS, "POST"),
    "auto_top_up": Row(CUSTOMERS),
    "auto_top_up_off": Row(CUSTOMERS, "POST"),
    "settings": Row(CUSTOMERS),
    "settings_mails": Row(CUSTOMERS, "POST"),
    "send_confirmation": Row(CUSTOMERS, "POST"),
    "account_data": Row(CUSTOMERS),
    "close_account": Row(CUSTOMERS),
    "settings_profile": Row(CUSTOMERS, "POST"),
    "settings_log_out_elsewhere": Row(CUSTOMERS, "POST"),
    "settings_end_session": Row(ALICE, "POST", {"number": "browser"}),
    "email_change": Row(CUSTOMERS, address={"token": "key"}),
    # Whoever has the mail has the signed link in it.
    "stop_mails": Row(ANYBODY, address={"token": "stop_token"}),
    # Mails of a local run; in production there are no such pages.
    "dev_mails": Row(ANYBODY),
    "dev_mail": Row(dict.fromkeys(CALLERS, NOT_FOUND), address={"name": "key"}),
    "dev_mail_html": Row(dict.fromkeys(CALLERS, NOT_FOUND), address={"name": "key"}),
    "subscription": Row(ALICE, address=SUBSCRIPTION),
    "subscription_change": Row(ALICE, address=SUBSCRIPTION),
    "subscription_quantity": Row(ALICE, address=SUBSCRIPTION),
    "subscription_change_confirm": Row(ALICE, address=SUBSCRIPTION | {"quote_id": "quote"}),
    "subscription_pause": Row(ALICE, address=SUBSCRIPTION),
    "subscription_resume": Row(ALICE, address=SUBSCRIPTION),
    "subscription_cancel": Row(ALICE, address=SUBSCRIPTION),
    "subscription_keep_plan": Row(ALICE, "POST", SUBSCRIPTION),
    "subscription_undo_cancel": Row(ALICE, "POST", SUBSCRIPTION),
    "subscription_pay": Row(ALICE, address=SUBSCRIPTION),
    "change_payment": Row(ALICE, address=SUBSCRIPTION),
    "subscription_start": Row(ALICE, "POST", SUBSCRIPTION),
    "subscription_renew": Row(ALICE, "POST", SUBSCRIPTION),
    "payments": Row(CUSTOMERS),
    "statements": Row(CUSTOMERS),
    "statement": Row(NO_SUCH_THING, address={"currency": "key", "month": "key"}),
    "statement_pdf": Row(NO_SUCH_THING, address={"currency": "key", "month": "key"}),
    "transactions": Row(CUSTOMERS),
    "transactions_csv": Row(CUSTOMERS),
    "transaction": Row(ALICE, address={"number": "transaction"}),
    # Answers 400 to anything that the gateway has not signed.
    "webhook": Row(ANYBODY, "POST", {"gateway": "gateway"}),
    # The sandbox plays a remote gateway: everybody who has the link to the page may pay on it.
    "sandbox_pay": Row(ANYBODY, address={"session_id": "session"}),
    "sandbox_bank": Row(ANYBODY, address={"session_id": "session"}),
    "sandbox_payment": Row(ANYBODY, address={"session_id": "session"}),
    # Customers pass the link on to whoever pays, such as their accountant. It shows our account, not theirs.
    "manual_transfer": Row(ANYBODY, address={"transfer_id": "transfer"}),
}

# Pages of allauth. Those about one's own account need a log-in.
LOG_IN = {
    name: Row(ANYBODY)
    for name in (
        "account_signup", "account_login", "account_logout", "account_inactive", "account_reset_password",
        "account_reset_password_done", "account_reset_password_from_key_done", "account_email_verification_sent",
    )
} | {
    name: Row(CUSTOMERS)
    for name in (
        "account_reauthenticate", "account_email", "account_change_password", "account_set_password", "mfa_index",
        "mfa_reauthenticate", "mfa_activate_totp",
        "mfa_generate_recovery_codes",
    )
} | {
    # They need a key from a mail, or a log-in that has begun.
    "account_confirm_email": Row(ANYBODY, address={"key": "key"}),
    "account_reset_password_from_key": Row(ANYBODY, address={"uidb36": "key", "key": "key"}),
    "account_confirm_login_code": Row(CUSTOMERS),
    "mfa_authenticate": Row(CUSTOMERS),
    # None of the callers has a second factor.
    "mfa_deactivate_totp": Row(NO_SUCH_THING),
    "mfa_view_recovery_codes": Row(NO_SUCH_THING),
    "mfa_download_recovery_codes": Row(NO_SUCH_THING),
}  # fmt: skip

ADMIN = {
    "admin:index": Row(STAFF),
    # Redirects to the common log-in page, and forbids customers who are logged in.
    "admin:login": Row({**STAFF, "alice": FORBIDDEN, "mallory": FORBIDDEN}),
    "admin:logout": Row(ANYBODY, "POST"),
    "admin:password_change": Row(STAFF),
    "admin:password_change_done": Row(STAFF),
    "admin:jsi18n": Row(STAFF),
    "admin:autocomplete": Row(NOBODY),
    "admin:subscriptions_price_new_version": Row(SUPERUSERS, address={"pk": "price"}),
    "admin:subscriptions_price_change_terms": Row(SUPERUSERS, address={"pk": "price"}),
    "admin:subscriptions_plan_texts": Row(SUPERUSERS, address={"pk": "plan_pk"}),
    "admin:subscriptions_plan_add_price": Row(SUPERUSERS, address={"pk": "plan_pk"}),
    "admin:subscriptions_plan_hide": Row(SUPERUSERS, address={"pk": "plan_pk"}),
    "admin:subscriptions_plan_show": Row(SUPERUSERS, address={"pk": "plan_pk"}),
    "admin:subscriptions_plan_up": Row(SUPERUSERS, address={"pk": "plan_pk"}),
    "admin:subscriptions_plan_down": Row(SUPERUSERS, address={"pk": "plan_pk"}),
    "admin:payments_payment_refund": Row(SUPERUSERS, address={"pk": "payment_pk"}),
    "admin:payments_payment_accept": Row(SUPERUSERS, address={"pk": "payment_pk"}),
    "admin:payments_payment_send_back": Row(SUPERUSERS, address={"pk": "payment_pk"}),
    "admin:payments_payment_ask": Row(SUPERUSERS, address={"pk": "payment_pk"}),
    "admin:payments_refund_ask": Row(SUPERUSERS, address={"pk": "refund_pk"}),
    "admin:payments_dispute_ask": Row(SUPERUSERS, address={"pk": "dispute_pk"}),
    "admin:payments_methodsetup_ask": Row(SUPERUSERS, address={"pk": "setup_pk"}),
    "admin:payments_collection_stop": Row(SUPERUSERS, address={"pk": "collection_pk"}),
    "admin:payments_discrepancy_mend": Row(SUPERUSERS, address={"pk": "discrepancy_pk"}),
    "admin:manual_manualtransfer_record": Row(SUPERUSERS, address={"pk": "transfer_pk"}),
    "admin:manual_manualtransfer_complete": Row(SUPERUSERS, address={"pk": "transfer_pk"}),
    "admin:manual_manualreceipt_void": Row(SUPERUSERS, address={"pk": "receipt_pk"}),
    "admin:manual_manualrefund_sent": Row(SUPERUSERS, address={"pk": "manual_refund_pk"}),
    "admin:manual_manualrefund_failed": Row(SUPERUSERS, address={"pk": "manual_refund_pk"}),
    "admin:events_mail_html": Row(NOBODY | dict.fromkeys(CALLERS[4:], NOT_FOUND), address={"pk": "mail"}),
    "admin:accounts_user_credit": Row(SUPERUSERS, address={"pk": "alice"}),
    "admin:accounts_user_debit": Row(SUPERUSERS, address={"pk": "alice"}),
    "admin:accounts_user_write_off": Row(SUPERUSERS, address={"pk": "alice"}),
    "admin:payments_adjustment_approve": Row(SUPERUSERS, address={"pk": "adjustment_pk"}),
    "admin:payments_adjustment_decline": Row(SUPERUSERS, address={"pk": "adjustment_pk"}),
    "admin:payments_adjustment_withdraw": Row(SUPERUSERS, address={"pk": "adjustment_pk"}),
    "admin:subscriptions_subscription_change_plan": Row(SUPERUSERS, address={"pk": "subscription_pk"}),
    "admin:subscriptions_subscription_quantity": Row(SUPERUSERS, address={"pk": "subscription_pk"}),
    "admin:subscriptions_subscription_keep_plan": Row(SUPERUSERS, address={"pk": "subscription_pk"}),
    "admin:subscriptions_subscription_extend": Row(SUPERUSERS, address={"pk": "subscription_pk"}),
    "admin:subscriptions_subscription_start": Row(SUPERUSERS, address={"pk": "subscription_pk"}),
    "admin:subscriptions_subscription_pause": Row(SUPERUSERS, address={"pk": "subscription_pk"}),
    "admin:subscriptions_subscription_resume": Row(SUPERUSERS, address={"pk": "subscription_pk"}),
    "admin:subscriptions_subscription_renewal_on": Row(SUPERUSERS, address={"pk": "subscription_pk"}),
    "admin:subscriptions_subscription_renewal_off": Row(SUPERUSERS, address={"pk": "subscription_pk"}),
    "admin:subscriptions_subscription_undo_cancel": Row(SUPERUSERS, address={"pk": "subscription_pk"}),
    "admin:subscriptions_subscription_cancel": Row(SUPERUSERS, address={"pk": "subscription_pk"}),
    "admin:accounts_user_subscribe": Row(SUPERUSERS, address={"pk": "alice"}),
    "admin:app_list": Row({**PERMITTED, "staff": NOT_FOUND}, address={"app_label": "app"}),
    "admin:accounts_user_block": Row(SUPERUSERS, address={"pk": "alice"}),
    "admin:accounts_user_unblock": Row(SUPERUSERS, address={"pk": "alice"}),
    "admin:accounts_user_change_address": Row(SUPERUSERS, address={"pk": "alice"}),
    "admin:accounts_user_reset_second_factor": Row(SUPERUSERS, address={"pk": "alice"}),
    "admin:subscriptions_billingclock_settle": Row(SUPERUSERS, address={"pk": "clock_pk"}),
    "admin:subscriptions_billingclock_settle_all": Row(SUPERUSERS),
    "admin:events_mail_send_again": Row(SUPERUSERS | {"superuser": NOT_FOUND}, address={"pk": "mail"}),
    "admin:events_mail_give_up": Row(SUPERUSERS | {"superuser": NOT_FOUND}, address={"pk": "mail"}),
    # No row is chosen.
    "admin:events_mail_send_again_chosen": Row(SUPERUSERS | {"superuser": NOT_FOUND}),
    "admin:events_mail_give_up_chosen": Row(SUPERUSERS | {"superuser": NOT_FOUND}),
    "admin:events_unreachableaddress_clear_chosen": Row(SUPERUSERS | {"superuser": NOT_FOUND}),
    "admin:subscriptions_billingclock_settle_chosen": Row(SUPERUSERS | {"superuser": NOT_FOUND}),
    "admin:payments_collectionplan_look_again_chosen": Row(SUPERUSERS | {"superuser": NOT_FOUND}),
    "admin:payments_webhookevent_process_again_chosen": Row(SUPERUSERS | {"superuser": NOT_FOUND}),
    "admin:events_unreachableaddress_clear": Row(SUPERUSERS | {"superuser": NOT_FOUND}, address={"pk": "mail"}),
    "admin:payments_collectionplan_look_again": Row(SUPERUSERS | {"superuser": NOT_FOUND}, address={"pk": "mail"}),
    "admin:payments_webhookevent_process_again": Row(SUPERUSERS | {"superuser": NOT_FOUND}, address={"pk": "mail"}),
    "admin:accounts_user_send_password_link": Row(SUPERUSERS, address={"pk": "alice"}),
    "admin:acts_of": Row(PERMITTED, address={"app": "app", "table": "app", "pk": "payment_pk"}),
    "admin:exports": Row(SUPERUSERS),
    # Without days in the address it answers 400.
    "admin:export": Row(SUPERUSERS, address={"name": "export"}),
    "admin:search": Row(STAFF),
    "admin:customer": Row(PERMITTED, address={"pk": "alice"}),
    "admin:customer_account": Row(PERMITTED, address={"pk": "alice"}),
    "admin:clearing": Row(PERMITTED),
    "admin:figures": Row(PERMITTED),
}

# Tables of the admin: who may view the list, and who may add, change and delete rows.
TABLES = {
    "accounts_user": (PERMITTED, SUPERUSERS),
    "core_ledgercheck": (PERMITTED, NOBODY),
    "core_taskrun": (PERMITTED, NOBODY),
    "events_event": (PERMITTED, NOBODY),
    "events_staffact": (PERMITTED, NOBODY),
    "events_mail": (PERMITTED, NOBODY),
    "events_unreachableaddress": (PERMITTED, NOBODY),
    "ledger_account": (PERMITTED, NOBODY),
    "ledger_transaction": (PERMITTED, NOBODY),
    "manual_manualtransfer": (PERMITTED, NOBODY),
    "manual_manualreceipt": (PERMITTED, NOBODY),
    "manual_manualrefund": (PERMITTED, NOBODY),
    "payments_adjustment": (PERMITTED, NOBODY),
    "payments_autotopup": (PERMITTED, NOBODY),
    "payments_collection": (PERMITTED, NOBODY),
    "payments_collectionplan": (PERMITTED, NOBODY),
    "payments_consent": (PERMITTED, NOBODY),
    "payments_discrepancy": (PERMITTED, NOBODY),
    "payments_gatewayreport": (PERMITTED, NOBODY),
    "payments_payment": (PERMITTED, NOBODY),
    "payments_payout": (PERMITTED, NOBODY),
    "payments_refund": (PERMITTED, NOBODY),
    "payments_dispute": (PERMITTED, NOBODY),
    "payments_paymentmethod": (PERMITTED, NOBODY),
    "payments_methodsetup": (PERMITTED, NOBODY),
    "payments_webhookevent": (PERMITTED, NOBODY),
    "subscriptions_plan": (PERMITTED, SUPERUSERS),
    "subscriptions_price": (PERMITTED, NOBODY),
    "subscriptions_subscription": (PERMITTED, NOBODY),
    "subscriptions_billingclock": (PERMITTED, NOBODY),
    "auth_group": (SUPERUSERS, SUPERUSERS),
    "django_celery_beat_periodictask": (SUPERUSERS, SUPERUSERS),
    "django_celery_beat_clockedschedule": (SUPERUSERS, SUPERUSERS),
    "django_celery_beat_crontabschedule": (SUPERUSERS, SUPERUSERS),
    "django_celery_beat_intervalschedule": (SUPERUSERS, SUPERUSERS),
    "django_celery_beat_solarschedule": (SUPERUSERS, SUPERUSERS),
}
TABLE_ROWS = {
    f"admin:{table}_{view}": Row(who)
    for table, (viewers, editors) in TABLES.items()
    for view, who in (("changelist", viewers), ("add", editors))
}

GROUPS = {"api": API, "pages": PAGES, "log-in": LOG_IN, "admin": ADMIN, "tables": TABLE_ROWS}
ROWS = API | PAGES | LOG_IN | ADMIN | TABLE_ROWS
