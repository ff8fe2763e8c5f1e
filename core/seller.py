"""Who sells: the name, postal address, contact address and logo at the foot of every mail. Set by SELLER_..."""

from typing import NamedTuple

from django.conf import settings


class Seller(NamedTuple):
    """The seller. What is not set is empty."""

    name: str
    address: str
    email: str
    logo_url: str


def seller() -> Seller:
    """Return the seller of this site. The name is by default that of the site."""
    return Seller(
        settings.SELLER_NAME or settings.SITE_NAME,
        settings.SELLER_ADDRESS,
        settings.SELLER_EMAIL,
        settings.SELLER_LOGO_URL,
    )
