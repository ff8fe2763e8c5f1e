"""Why money moved, in the customer's words."""

from django.utils.translation import gettext_lazy as _

from ledger.models import Transaction

Reason = Transaction.Reason

REASONS = {
    Reason.TOP_UP: _("Top-up"),
    Reason.CHARGE: _("Charge"),
    Reason.UNUSED_REFUND: _("Unused time given back"),
    Reason.REFUND: _("Refund"),
    Reason.ADJUSTMENT: _("Correction"),
    Reason.PROMOTION: _("Gift"),
    Reason.CHARGEBACK: _("Taken back by your bank"),
    Reason.CHARGEBACK_REVERSAL: _("Returned by your bank"),
    Reason.FEE: _("Fee"),
}
