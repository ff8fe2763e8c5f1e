"""allauth's adapter with our rules: valid names, links in mails, client address, language."""

from io import BytesIO
from typing import Any

import qrcode
import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse, translate_url
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from qrcode.image.svg import SvgPathFillImage

from accounts import brute_force, encryption, mails, time_zones
from accounts.models import User
from accounts.names import check_email, check_username, normalize_email
from core.addresses import client_address, client_network
from core.normalization import normalize

log = structlog.get_logger(__name__)


class Adapter(DefaultAccountAdapter):
    """Normalize names, build links from SITE_URL, and write mails in the reader's language."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": _("Enter a correct username and password."),
        "email_password_mismatch": _("Enter a correct email address and password."),
        "username_taken": _("This username is not available. Choose another one."),
        "email_taken": _("This email address is not available. If it is yours, log in or reset your password."),
        "enter_current_password": _("Your current password is wrong."),
        "rate_limited": _("Too many attempts. Try again later."),
    }

    def clean_username(self, username: str, shallow: bool = False) -> str:
        """Return the name in its stored form; raise ValidationError if it is invalid or taken."""
        name = normalize(username)
        check_username(name)
        cleaned: str = super().clean_username(name, shallow)
        return cleaned

    def clean_email(self, email: str) -> str:
        """Return the address in its stored form; raise ValidationError if it is invalid."""
        address = normalize_email(email)
        check_email(address)
        return address

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the caller's network, by which allauth counts, as the rest of the site determines it."""
        return client_network(request)

    def send_notification_mail(self, template_prefix: str, user: User, context: Any = None, email: Any = None) -> None:
        """Send a security notice with the exact address, in the user's language."""
        context = {"user": user, "ip": client_address(self.request), **(context or {})}
        super().send_notification_mail(template_prefix, user, context, email)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Return the user whose password this is, or None; count a wrong one before the next is checked."""
        with brute_force.one_at_a_time(request, credentials):
            user: User | None = super().authenticate(request, **credentials)
        return user

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Do not count failures here: accounts.brute_force counts those of pages and API together."""

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Return the link for the reset mail. Never use the Host header: whoever requests the mail controls it."""
        user, _dash, secret = key.partition("-")
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": user, "key": secret})
        return f"{settings.SITE_URL}{path}"

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        """Return the link for the mail that confirms an address."""
        return f"{settings.SITE_URL}{reverse('account_confirm_email', args=[emailconfirmation.key])}"

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        """Save a new customer with the language of the sign-up page. Greet them, unless a link to confirm does."""
        user.language = translation.get_language() or settings.LANGUAGE_CODE
        saved: User = super().save_user(request, user, form, commit)
        if settings.ACCOUNT_EMAIL_VERIFICATION == "none":
            mails.welcome(saved)
        return saved

    def post_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse:
        """Continue in the customer's own language, unless the log-in page's URL names another, such as /ru/.

        A customer without a time zone gets the one that the browser has sent with the form.
        """
        if not user.time_zone and (zone := time_zones.closest(request.POST.get("zone", ""), now=timezone.now())):
            User.objects.filter(pk=user.pk, time_zone="").update(time_zone=zone)
            user.time_zone = zone
        response: HttpResponse = super().post_login(request, user, **kwargs)
        if isinstance(response, HttpResponseRedirect) and translation.get_language() == settings.LANGUAGE_CODE:
            response["Location"] = translate_url(response.url, user.language)
        return response

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail in the user's language, or in the page's language when there is no user."""
        user = context.get("user") or User.objects.filter(email__iexact=email).first()
        language = user.language if user else translation.get_language() or settings.LANGUAGE_CODE
        links = {name: translate_url(url, language) for name, url in context.items() if name.endswith("_url") and url}
        values = {**context, **links, "email": email}
        mails.send(lambda: mails.of(template_prefix, values), email, user=user, language=language)


class SecondFactorAdapter(DefaultMFAAdapter):
    """allauth's adapter of second factors, which stores their secrets encrypted (settings.MFA_ADAPTER)."""

    def build_totp_svg(self, url: str) -> str:
        """Return the QR code with its white ground and quiet border, so that it can be scanned on a dark page."""
        buffer = BytesIO()
        qrcode.make(url, image_factory=SvgPathFillImage).save(buffer)
        return buffer.getvalue().decode()

    def encrypt(self, text: str) -> str:
        """Return the text of the user as it is stored."""
        return encryption.encrypt(text, self._user_id())

    def decrypt(self, encrypted_text: str) -> str:
        """Return the text that is stored. Raises encryption.Unreadable, and tells the operator why."""
        user_id = self._user_id()
        try:
            return encryption.decrypt(encrypted_text, user_id)
        except encryption.Unreadable as error:
            log.error("second_factor_unreadable", user_id=user_id, reason=error.reason)
            raise

    def _user_id(self) -> int:
        """Return whose secret it is: allauth does not say. At log-in nobody is logged in, and encryption.of tells."""
        known = encryption.user_in_context()
        if known is None and self.request is not None and self.request.user.is_authenticated:
            known = self.request.user.pk
        if known is None:
            raise LookupError("Nobody is logged in: say by encryption.of() whose second factor it is.")
        return known
