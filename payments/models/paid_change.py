"""Changes of plan or quantity that are made with the money of a payment."""

from django.db import models
from django.db.models import Q

from payments.models.payment import Payment
from subscriptions.models import Price


class PaidChange(models.Model):
    """The change of its subscription that a payment is for, made once, when the payment credits the wallet.

    If it cannot be made then, the money stays on the balance, and `refusal` says why.
    """

    payment = models.OneToOneField(Payment, on_delete=models.PROTECT, related_name="change")
    # The price to change to; for a change of the quantity the one that it has.
    price = models.ForeignKey(Price, on_delete=models.PROTECT, related_name="+")
    # The new quantity; null: the plan changes.
    quantity = models.PositiveIntegerField(null=True)
    # What the subscription had when the customer asked (subscriptions.change_dues.standing). If it has anything else
    # when the money comes, the customer has decided otherwise.
    standing = models.CharField(max_length=100)
    # When the change was made, or the code of the reason why it was not. Set once, with the payment's credit.
    made_at = models.DateTimeField(null=True)
    refusal = models.CharField(max_length=60, default="", db_default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__isnull=True) | Q(quantity__gte=1), name="paid_change_quantity_is_one_or_more"
            ),
            models.CheckConstraint(
                condition=Q(made_at__isnull=True) | Q(refusal=""), name="a_refused_paid_change_is_not_made"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.payment_id}"
