"""Whether the owner of an account has opened a link that was sent to its address, and sending that link."""

from allauth.account.models import EmailAddress
from django.http import HttpRequest

from accounts.models import User


def is_confirmed(user: User) -> bool:
    """Tell whether the owner of the account has shown that its present address is theirs."""
    found: bool = EmailAddress.objects.filter(user=user, email__iexact=user.email, verified=True).exists()
    return found


def send_link(user: User, request: HttpRequest) -> None:
    """Send the link that confirms the address of the account; nothing if it is confirmed."""
    address = EmailAddress.objects.filter(user=user, email__iexact=user.email).first()
    if address is None:
        address = EmailAddress.objects.create(user=user, email=user.email, primary=True)
    if not address.verified:
        address.send_confirmation(request)
