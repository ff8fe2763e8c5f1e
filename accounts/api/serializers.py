"""Serializers of /api/auth/."""

from typing import Any, cast

from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from accounts import brute_force, confirmed_address, mail_choices, registration, time_zones
from accounts.models import User
from accounts.names import MAX_LENGTH, check_email, check_username, normalize_email
from core.api.fields import ChoicesField, FlagField, StringField, TextField
from core.api.schema_details import either, examples, needs
from core.api.serializers import StrictSerializer

# Longer passwords would only make Argon2 slow.
MAX_PASSWORD_LENGTH = 1000


@extend_schema_field(OpenApiTypes.EMAIL)
class EmailField(TextField):
    """An email address in its stored form."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(form="NFKC", max_length=MAX_LENGTH, validators=[check_email], **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """Return the address in lower case."""
        return normalize_email(super().to_internal_value(data))


class PasswordField(StringField):
    """A password: never sent back, never trimmed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            write_only=True,
            trim_whitespace=False,
            max_length=MAX_PASSWORD_LENGTH,
            style={"input_type": "password"},
            **kwargs,
        )


class UserSerializer(serializers.ModelSerializer[User]):
    """A user's own data, as the user sees it."""

    email_confirmed = serializers.SerializerMethodField(
        help_text="Whether the owner has opened the link that was sent to the address. Some plans ask for it."
    )
    mails = serializers.SerializerMethodField(
        help_text="The categories of mails that are sent, of those that may be off."
    )

    class Meta:
        model = User
        fields = [
            "id", "username", "email", "email_confirmed", "first_name", "last_name", "company", "address",
            "tax_id", "language", "time_zone", "mails", "date_joined",
        ]  # fmt: skip
        read_only_fields = fields

    def get_email_confirmed(self, user: User) -> bool:
        """Return whether the present address is confirmed."""
        return confirmed_address.is_confirmed(user)

    def get_mails(self, user: User) -> list[str]:
        """Return the optional categories of mails that the user gets."""
        return mail_choices.wanted(user)


@examples(customer={"username": "maria", "email": "maria@example.com", "password": "four words or more"})
class RegistrationSerializer(StrictSerializer):
    """A new customer."""

    username = TextField(form="NFKC", max_length=150, validators=[check_username])
    email = EmailField()
    password = PasswordField()
    language = serializers.ChoiceField(choices=User.Language.choices, default=User.Language.ENGLISH)

    def to_internal_value(self, data: Any) -> Any:
        """Return the values; report errors of the password together with those of the other fields."""
        try:
            return super().to_internal_value(data)
        except ValidationError as error:
            raise ValidationError({**_password_errors(data), **cast(dict[str, Any], error.detail)}) from None

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check the password against the rules; report a taken name or address in the same answer."""
        user = User(username=attrs["username"], email=attrs["email"])
        if errors := _password_errors(attrs):
            taken = registration.Taken(registration.taken_fields(user))
            raise ValidationError({**cast(dict[str, Any], taken_error(taken).detail), **errors})
        return attrs

    def create(self, validated_data: dict[str, Any]) -> User:
        """Create the customer."""
        try:
            return registration.register(**validated_data)
        except registration.Taken as error:
            raise taken_error(error) from error


@examples(
    language={"language": "ru", "time_zone": "Europe/Moscow"},
    receipts={"company": "Acme GmbH", "address": "Hauptstr. 1, 10115 Berlin", "tax_id": "DE123456789"},
)
class ProfileSerializer(StrictSerializer):
    """Changes to the user's own data. A new email or password requires the current password."""

    schema_rules = (needs("email", "current_password"), needs("password", "current_password"))

    email = EmailField(required=False)
    first_name = TextField(max_length=150, required=False, allow_blank=True)
    last_name = TextField(max_length=150, required=False, allow_blank=True)
    company = TextField(max_length=200, required=False, allow_blank=True, help_text="For receipts.")
    address = TextField(max_length=300, required=False, allow_blank=True, help_text="For receipts, on one line.")
    tax_id = TextField(max_length=50, required=False, allow_blank=True, help_text="For receipts.")
    language = serializers.ChoiceField(choices=User.Language.choices, required=False)
    time_zone = TextField(
        max_length=64,
        required=False,
        allow_blank=True,
        validators=[time_zones.check],
        help_text="A name of the list on the settings page, such as Europe/Moscow. Empty: the time zone of the site.",
    )
    mails = ChoicesField(
        choices=[category.value for category in mail_choices.OPTIONAL],
        required=False,
        help_text="The categories that are sent. One that is left out is switched off.",
    )
    password = PasswordField(required=False)
    current_password = PasswordField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Require the current password for a new email or password; check the new password against the rules."""
        user, current = cast(User, self.instance), attrs.pop("current_password", None)
        if "mails" in attrs:
            attrs["mails_off"] = mail_choices.all_but(attrs.pop("mails"))
        if attrs.keys() & {"email", "password"}:
            if current is None:
                message = _("Send your current password to change the email address or the password.")
                raise ValidationError({"current_password": [ErrorDetail(message, code="required")]})
            if not brute_force.is_current_password(user, password=current, now=self.context["now"]):
                message = _("Your current password is wrong.")
                raise ValidationError({"current_password": [ErrorDetail(message, code="wrong")]})
        if "password" in attrs:
            check_password(attrs["password"], user)
        return attrs

    def update(self, instance: User, validated_data: dict[str, Any]) -> User:
        """Save the changes."""
        try:
            return registration.change(instance, now=self.context["now"], **validated_data)
        except registration.Taken as error:
            raise taken_error(error) from error


@examples(username={"username": "anna", "password": "anna-likes-billing"})
class LogInSerializer(StrictSerializer):
    """Credentials for a pair of tokens: a password and either `username` (also an email address) or `email`."""

    schema_rules = (either("username", "email"),)

    username = StringField(required=False, max_length=MAX_LENGTH)
    email = StringField(required=False, max_length=MAX_LENGTH)
    password = PasswordField()
    code = StringField(
        required=False, max_length=20, help_text="From the authenticator app, if two-step verification is on."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Require exactly one of `username` and `email`."""
        if ("username" in attrs) == ("email" in attrs):
            message = _("Send either username or email.")
            raise ValidationError({"username": [ErrorDetail(message, code="required")]})
        return attrs


class RefreshSerializer(StrictSerializer):
    """A refresh token."""

    refresh = StringField(write_only=True, max_length=4000)


class LogOutSerializer(RefreshSerializer):
    """A refresh token, and whether to end all sessions of the user."""

    all = FlagField(default=False)


class PairSerializer(serializers.Serializer[Any]):
    """A new pair of tokens."""

    access = serializers.CharField()
    refresh = serializers.CharField()


def check_password(password: str, user: User) -> None:
    """Raise ValidationError for field `password` with each rule that the password breaks."""
    try:
        password_validation.validate_password(password, user)
    except DjangoValidationError as error:
        details = [
            ErrorDetail(message, code=each.code or "invalid") for each in error.error_list for message in each.messages
        ]
        raise ValidationError({"password": details}) from error


def taken_error(taken: registration.Taken) -> ValidationError:
    """Return the validation error for a taken name or address."""
    fields = taken.fields
    return ValidationError({name: [ErrorDetail(registration.taken_message(name), code="taken")] for name in fields})


def _password_errors(data: Any) -> dict[str, Any]:
    """Return the errors of a new customer's password, from data whose other fields may be invalid."""
    known = {name: str(data.get(name, "")) for name in ("username", "email")} if isinstance(data, dict) else {}
    password = data.get("password") if isinstance(data, dict) else None
    if not isinstance(password, str) or not 0 < len(password) <= MAX_PASSWORD_LENGTH:
        return {}
    try:
        check_password(password, User(**known))
    except ValidationError as error:
        return cast(dict[str, Any], error.detail)
    return {}
