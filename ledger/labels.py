"""Labels for customers: the reasons of transactions, and the accounts on the other side of a wallet."""

from django.utils.translation import gettext_lazy as _

from ledger.models import Account, Transaction

Kind = Account.Kind
Reason = Transaction.Reason

REASONS = {
    Reason.TOP_UP: _("Top-up"),
    Reason.CHARGE: _("Charge"),
    Reason.UNUSED_REFUND: _("Refund for unused time"),
    Reason.REFUND: _("Refund"),
    Reason.ADJUSTMENT: _("Correction"),
    Reason.PROMOTION: _("Bonus"),
    Reason.CHARGEBACK: _("Reversed by your bank"),
    Reason.CHARGEBACK_REVERSAL: _("Returned by your bank"),
    Reason.FEE: _("Fee"),
    Reason.DEBT_PAYMENT: _("Debt paid"),
    Reason.PAYOUT: _("Payout"),
    Reason.WRITE_OFF: _("Debt written off"),
}

# Names of the account on the other side of a wallet.
OTHERS = {
    Kind.WALLET: _("a customer's balance"),
    Kind.DEBT: _("debt"),
    Kind.GATEWAY_CLEARING: _("the payment gateway %(name)s"),
    Kind.REVENUE: _("us, for the service"),
    Kind.GATEWAY_FEES: _("payment gateway fees"),
    Kind.PROMOTIONS: _("us, as a bonus"),
    Kind.ADJUSTMENTS: _("us, as a correction"),
    Kind.DISPUTES: _("your bank, for a disputed payment"),
    Kind.BANK: _("our bank account"),
}


def counterpart(account: Account) -> str:
    """Return the label of an account that is on the other side of a customer's wallet."""
    return str(OTHERS[Kind(account.kind)]) % {"name": account.code.partition(":")[2]}
