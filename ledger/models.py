"""Accounts, transactions and rollups. Triggers that guard them are in the migrations, as SQL.

Only ledger.posting writes transactions; ledger.wallets opens customers' accounts.
"""

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Concat, Now
from django.utils.translation import gettext_lazy as _

OWNED = ("wallet", "debt")
SYSTEM = ("gateway_clearing", "revenue", "gateway_fees", "promotions", "adjustments", "disputes", "bank")
KINDS = OWNED + SYSTEM
REASONS = (
    "top_up",
    "charge",
    "unused_refund",
    "refund",
    "adjustment",
    "promotion",
    "chargeback",
    "chargeback_reversal",
    "fee",
    "debt_payment",
    "payout",
    "write_off",
)


class Account(models.Model):
    """An account. From the customer's side: balance = credits - debits, so a wallet is >= 0 and a debt is <= 0.

    Only wallets and debts store a `balance` and are ever locked. The balance of a system account is the sum of its
    rollups, so that concurrent postings do not wait for one row.
    """

    class Kind(models.TextChoices):
        WALLET = "wallet", _("wallet")
        DEBT = "debt", _("debt")
        GATEWAY_CLEARING = "gateway_clearing", _("gateway clearing")
        REVENUE = "revenue", _("revenue")
        GATEWAY_FEES = "gateway_fees", _("gateway fees")
        PROMOTIONS = "promotions", _("promotions")
        ADJUSTMENTS = "adjustments", _("adjustments")
        DISPUTES = "disputes", _("disputes")
        # The seller's own bank account, to which gateways send what they have collected.
        BANK = "bank", _("bank")

    kind = models.CharField(max_length=20, choices=Kind.choices)
    # The customer, for wallets and debts only. Set on creation, never changed.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="accounts", db_index=False
    )
    # For system accounts only, such as `revenue` or `gateway_clearing:stripe`. Set on creation, never changed.
    code = models.CharField(max_length=60, default="", blank=True)
    currency = models.CharField(max_length=3)
    # Minor units, for wallets and debts only. Only the trigger on transactions changes it.
    balance = models.BigIntegerField(null=True)
    # For wallets only: `effective_at` of the last transaction, set by the same trigger. The next one is never earlier.
    moved_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(kind="wallet") | Q(balance__gte=0), name="wallet_never_negative"),
            models.CheckConstraint(condition=~Q(kind="debt") | Q(balance__lte=0), name="debt_never_positive"),
            models.CheckConstraint(
                condition=Q(kind__in=OWNED, owner__isnull=False, balance__isnull=False, code="")
                | (~Q(kind__in=OWNED) & Q(owner__isnull=True, balance__isnull=True) & ~Q(code="")),
                name="only_owned_accounts_hold_a_balance",
            ),
            models.CheckConstraint(condition=Q(kind__in=KINDS), name="account_kind_is_known"),
            models.CheckConstraint(
                condition=Q(code="") | Q(code=F("kind")) | Q(code__startswith=Concat(F("kind"), Value(":"))),
                name="account_code_begins_with_its_kind",
            ),
            models.CheckConstraint(condition=Q(currency__regex="^[A-Z]{3}$"), name="account_currency_is_iso_4217"),
            models.UniqueConstraint(
                fields=["owner", "currency", "kind"], condition=Q(owner__isnull=False), name="one_wallet_per_currency"
            ),
            models.UniqueConstraint(
                fields=["code", "currency"], condition=Q(owner__isnull=True), name="one_system_account_per_currency"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code or self.get_kind_display()} {self.currency}"


class Transaction(models.Model):
    """A movement of money from `debit` to `credit`: a whole double entry in one row. Never edited, never deleted."""

    class Reason(models.TextChoices):
        TOP_UP = "top_up", _("top-up")
        CHARGE = "charge", _("charge")
        UNUSED_REFUND = "unused_refund", _("refund for unused time")
        REFUND = "refund", _("refund")
        ADJUSTMENT = "adjustment", _("adjustment")
        PROMOTION = "promotion", _("promotion")
        CHARGEBACK = "chargeback", _("chargeback")
        CHARGEBACK_REVERSAL = "chargeback_reversal", _("chargeback reversed")
        FEE = "fee", _("gateway fee")
        DEBT_PAYMENT = "debt_payment", _("debt payment")
        PAYOUT = "payout", _("payout of a gateway")
        WRITE_OFF = "write_off", _("debt written off")

    # Derived from the cause, so that each cause posts once. Compared byte by byte, whatever the database's collation.
    key = models.CharField(max_length=100, db_collation="C")
    # Shared by entries that were posted together or not at all.
    group = models.UUIDField(null=True)
    # No foreign key in the database: every charge would lock the single revenue row. Accounts cannot be deleted, and
    # the posting trigger checks that both exist.
    debit = models.ForeignKey(Account, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    credit = models.ForeignKey(Account, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    # Minor units of `currency`, above zero.
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=20, choices=Reason.choices)
    description = models.CharField(max_length=200, default="", blank=True)
    # The wallet that it moves (never two), null if none, and that wallet's balance afterwards.
    wallet = models.ForeignKey(
        Account, models.DO_NOTHING, null=True, related_name="transactions", db_constraint=False, db_index=False
    )
    balance_after = models.BigIntegerField(null=True)
    # The owner of the wallet or debt that it moves.
    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    # The member of staff who posted it by hand.
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    # The transaction that this one reverses. Each is reversed at most once.
    reverses = models.ForeignKey(
        "self", models.DO_NOTHING, null=True, related_name="reversals", db_constraint=False, db_index=False
    )
    # When it took effect by the rules. Within a wallet it never decreases.
    effective_at = models.DateTimeField()
    # When the row was written.
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        permissions = [
            ("export_transaction", "Can export money and customers' debts as files"),
            ("view_figures", "Can see revenue and other figures"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["key"], name="same_cause_posts_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="transaction_moves_more_than_zero"),
            models.CheckConstraint(condition=~Q(debit=F("credit")), name="transaction_moves_between_two_accounts"),
            models.CheckConstraint(
                condition=Q(wallet__isnull=True, balance_after__isnull=True)
                | Q(wallet__isnull=False, balance_after__isnull=False, balance_after__gte=0, customer__isnull=False),
                name="transaction_shows_the_wallet_after_it",
            ),
            models.CheckConstraint(condition=Q(reason__in=REASONS), name="transaction_reason_is_known"),
            models.UniqueConstraint(
                fields=["reverses"], condition=Q(reverses__isnull=False), name="transaction_is_reversed_at_most_once"
            ),
        ]
        indexes = [
            # Within a wallet effective_at never decreases with id, so this is also the order of posting.
            models.Index(
                fields=["wallet", "effective_at", "id"],
                condition=Q(wallet__isnull=False),
                name="transaction_by_wallet",
            ),
            # Nearly all transactions are charges: a filter for other reasons skips them with this index.
            models.Index(
                fields=["wallet", "effective_at", "id"],
                condition=Q(wallet__isnull=False) & ~Q(reason="charge"),
                name="transaction_but_charges",
            ),
            models.Index(
                fields=["customer"],
                condition=Q(customer__isnull=False, wallet__isnull=True),
                name="transaction_of_a_debt",
            ),
            models.Index(fields=["group"], condition=Q(group__isnull=False), name="transaction_by_group"),
            # For figures of some days; it costs billing nearly nothing.
            BrinIndex(fields=["effective_at"], pages_per_range=32, autosummarize=True, name="transaction_by_time"),
        ]

    def __str__(self) -> str:
        return self.key


class Rollup(models.Model):
    """A part of a system account's balance: one row per posting. The rows of an account are regularly folded into one.

    Only triggers write rollups, apart from the zero rows of ledger.rollups that start a fold.
    """

    account = models.ForeignKey(Account, models.DO_NOTHING, related_name="rollups", db_constraint=False)
    # Minor units of the account's currency.
    delta = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.account_id} {self.delta:+}"
