"""Who a document is made out to: name, company, address, tax id and email address."""

from dataclasses import dataclass

from accounts.models import User


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingDetails:
    """A customer as printed on a receipt or a statement. All but the name and the email address may be empty."""

    name: str
    company: str
    address: str
    tax_id: str
    email: str


def current(user: User) -> BillingDetails:
    """Return the details that are in the customer's profile now."""
    name = user.get_full_name() or user.username
    return BillingDetails(name=name, company=user.company, address=user.address, tax_id=user.tax_id, email=user.email)
