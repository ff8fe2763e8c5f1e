"""Plans that are given only to customers who have confirmed their email address, such as those with a free trial."""

from django.utils.translation import gettext as _

from accounts import confirmed_address
from accounts.models import User
from core.errors import DomainError
from subscriptions.models import Plan


class AddressNotConfirmed(DomainError):
    """The plan is given only to a confirmed address. Nothing was changed."""

    code = "email_not_confirmed"
    param = "plan"


def is_missing(customer: User, plan: Plan) -> bool:
    """Tell whether the plan asks for a confirmed address and the customer has none."""
    return plan.needs_confirmed_email and not confirmed_address.is_confirmed(customer)


def check(customer: User, plan: Plan) -> None:
    """Raise AddressNotConfirmed if the customer must confirm the address before ordering this plan."""
    if is_missing(customer, plan):
        text = _("Confirm your email address %(email)s first: this plan needs it.")
        raise AddressNotConfirmed(text % {"email": customer.email})
