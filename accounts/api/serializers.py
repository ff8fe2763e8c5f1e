"""What comes in and goes out at /api/auth/."""

from typing import Any, cast

from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from accounts import brute_force, registration
from accounts.models import User
from accounts.names import MOST, check_email, check_username, normal_email
from core.api.fields import FlagField, TextField
from core.api.serializers import StrictSerializer


class EmailField(TextField):
    """An email address in the form it is stored in."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(form="NFKC", max_length=MOST, validators=[check_email], **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """Return the address, lower case."""
        return normal_email(super().to_internal_value(data))


# Longer ones would only give Argon2 work to do.
MOST_PASSWORD = 1000


class PasswordField(serializers.CharField):
    """Never repeated in an answer, never trimmed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            write_only=True, trim_whitespace=False, max_length=MOST_PASSWORD, style={"input_type": "password"}, **kwargs
        )


class UserSerializer(serializers.ModelSerializer[User]):
    """A user, as he sees himself."""

    class Meta:
        model = User
        fields = ["id", "username", "email", "first_name", "last_name", "language", "date_joined"]
        read_only_fields = fields


class RegistrationSerializer(StrictSerializer):
    """A new customer."""

    username = TextField(form="NFKC", max_length=150, validators=[check_username])
    email = EmailField()
    password = PasswordField()
    language = serializers.ChoiceField(choices=User.Language.choices, default=User.Language.ENGLISH)

    def to_internal_value(self, data: Any) -> Any:
        """Return the values; what is wrong with the password is said together with what is wrong with the rest."""
        try:
            return super().to_internal_value(data)
        except ValidationError as error:
            raise ValidationError({**_password_errors(data), **cast(dict[str, Any], error.detail)}) from None

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Hold the password against the rules, knowing whose it will be; and say with it which name is taken."""
        user = User(username=attrs["username"], email=attrs["email"])
        if errors := _password_errors(attrs):
            taken = registration.Taken(registration.taken(user))
            raise ValidationError({**cast(dict[str, Any], refusal(taken).detail), **errors})
        return attrs

    def create(self, validated_data: dict[str, Any]) -> User:
        """Create the customer."""
        try:
            return registration.register(**validated_data)
        except registration.Taken as error:
            raise refusal(error) from error


class ProfileSerializer(StrictSerializer):
    """What a user may change about himself. What opens the account needs the current password."""

    email = EmailField()
    first_name = TextField(max_length=150, allow_blank=True)
    last_name = TextField(max_length=150, allow_blank=True)
    language = serializers.ChoiceField(choices=User.Language.choices)
    password = PasswordField()
    current_password = PasswordField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for the current password where it is needed, and hold the new one against the rules."""
        user, known = cast(User, self.instance), attrs.pop("current_password", None)
        if attrs.keys() & {"email", "password"}:
            if known is None:
                said = _("Send your current password to change the email address or the password.")
                raise ValidationError({"current_password": [ErrorDetail(said, code="required")]})
            if not brute_force.is_right(user, password=known, now=self.context["now"]):
                said = _("This is not your current password.")
                raise ValidationError({"current_password": [ErrorDetail(said, code="wrong")]})
        if "password" in attrs:
            check_password(attrs["password"], user)
        return attrs

    def update(self, instance: User, validated_data: dict[str, Any]) -> User:
        """Store the changes."""
        try:
            return registration.change(instance, now=self.context["now"], **validated_data)
        except registration.Taken as error:
            raise refusal(error) from error


class LogInSerializer(StrictSerializer):
    """Who asks for tokens. One of `username` (which may hold an email address) and `email`."""

    username = serializers.CharField(required=False, max_length=MOST)
    email = serializers.CharField(required=False, max_length=MOST)
    password = PasswordField()
    code = serializers.CharField(
        required=False, max_length=20, help_text="From the authenticator app, when a second factor is set up."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Want exactly one name."""
        if ("username" in attrs) == ("email" in attrs):
            said = _("Send either username or email.")
            raise ValidationError({"username": [ErrorDetail(said, code="required")]})
        return attrs


class RefreshSerializer(StrictSerializer):
    """A refresh token."""

    refresh = serializers.CharField(write_only=True, max_length=4000)


class LogOutSerializer(RefreshSerializer):
    """A refresh token, and whether all log-ins end with it."""

    all = FlagField(default=False)


class PairSerializer(serializers.Serializer[Any]):
    """Tokens given out."""

    access = serializers.CharField()
    refresh = serializers.CharField()


def check_password(password: str, user: User) -> None:
    """Raise ValidationError under `password` for each rule it breaks."""
    try:
        password_validation.validate_password(password, user)
    except DjangoValidationError as error:
        said = [
            ErrorDetail(message, code=each.code or "invalid") for each in error.error_list for message in each.messages
        ]
        raise ValidationError({"password": said}) from error


def _password_errors(sent: Any) -> dict[str, Any]:
    """Return what the rules say about a new customer's password, as far as it can be said before the rest is right."""
    known = {name: str(sent.get(name, "")) for name in ("username", "email")} if isinstance(sent, dict) else {}
    password = sent.get("password") if isinstance(sent, dict) else None
    if not isinstance(password, str) or not 0 < len(password) <= MOST_PASSWORD:
        return {}
    try:
        check_password(password, User(**known))
    except ValidationError as error:
        return cast(dict[str, Any], error.detail)
    return {}


def refusal(taken: registration.Taken) -> ValidationError:
    """Return the answer to a name or address that somebody has."""
    return ValidationError({name: [ErrorDetail(registration.sorry(name), code="taken")] for name in taken.fields})
