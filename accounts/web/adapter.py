"""Where allauth meets our rules: who may have which name, where links point, from where a request came."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse, translate_url
from django.utils import translation

from accounts.models import User
from accounts.names import check_email, check_username, normal_email
from core.addresses import client_address
from core.normalization import normal


class Adapter(DefaultAccountAdapter):
    """Names in one form, mails in the reader's language, links from SITE_URL."""

    def clean_username(self, username: str, shallow: bool = False) -> str:
        """Return the name in its stored form. Raises ValidationError for one that cannot be or is taken."""
        name = normal(username)
        check_username(name)
        cleaned: str = super().clean_username(name, shallow)
        return cleaned

    def clean_email(self, email: str) -> str:
        """Return the address in its stored form. Raises ValidationError."""
        address = normal_email(email)
        check_email(address)
        return address

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the caller's address, as everywhere else."""
        return client_address(request)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Leave the counting of failures to accounts.brute_force, which counts those of the API too."""

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Return the link of the reset mail. Not from the Host header: whoever asks for the mail chooses that."""
        user, _dash, secret = key.partition("-")
        return settings.SITE_URL + reverse("account_reset_password_from_key", kwargs={"uidb36": user, "key": secret})

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        """Return the link of the mail that asks to confirm an address."""
        return settings.SITE_URL + reverse("account_confirm_email", args=[emailconfirmation.key])

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        """Store a new customer, who reads the language in which he signed up."""
        user.language = translation.get_language() or settings.LANGUAGE_CODE
        saved: User = super().save_user(request, user, form, commit)
        return saved

    def post_login(self, request: HttpRequest, user: Any, **how: Any) -> HttpResponse:
        """Go on in the customer's own language, unless the log-in page was in one that its address names."""
        answer: HttpResponse = super().post_login(request, user, **how)
        if isinstance(answer, HttpResponseRedirect) and translation.get_language() == settings.LANGUAGE_CODE:
            answer["Location"] = translate_url(answer.url, user.language)
        return answer

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Write in the language of the user, or of the page when there is no user yet."""
        user = context.get("user")
        language = user.language if isinstance(user, User) else translation.get_language()
        links = {name: translate_url(url, language) for name, url in context.items() if name.endswith("_url") and url}
        site = {"site_name": settings.SITE_NAME, "site_url": settings.SITE_URL}
        with translation.override(language):
            super().send_mail(template_prefix, email, {**context, **links, **site})
