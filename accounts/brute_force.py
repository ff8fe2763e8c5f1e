"""Limit password guesses. django-axes counts failed log-ins of API, pages and admin together; the limits are here.

Three limits apply within settings.AXES_COOLOFF_TIME: failures of one account from one address, of one account from all
addresses, and of one address at all accounts. An address is a caller's network (core.addresses): for IPv6 a /64. A lock
ends by itself and further attempts do not extend it. An account that is attacked from many addresses stays open to
addresses from which its owner has logged in before. Tries of the current password by a logged-in user, and of a second
factor on a page, are counted in a RateCount (`hit`). Guesses at one account or from one address are checked one after
the other (`one_at_a_time`).
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_login_failed
from django.db import connection, transaction
from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.models import RateCount, User
from accounts.names import MAX_LENGTH
from core.addresses import client_network
from core.errors import DomainError
from core.normalization import normalize

# One statement, so that no hit is lost when many come at once.
COUNT = """
    INSERT INTO accounts_ratecount AS held (key, hits, ends_at) VALUES (%(key)s, 1, %(ends_at)s)
    ON CONFLICT (key) DO UPDATE
       SET hits = CASE WHEN held.ends_at <= %(now)s THEN 1 ELSE LEAST(held.hits + 1, 1000000000) END,
           ends_at = CASE WHEN held.ends_at <= %(now)s THEN excluded.ends_at ELSE held.ends_at END
    RETURNING hits, ends_at
"""


class TooManyAttempts(DomainError):
    """Too many failures of this account, from this address, or both. Does not say whether the account exists."""

    code = "too_many_attempts"


class WrongCredentials(DomainError):
    """Unknown user, wrong password or disabled account: one answer for all."""

    code = "invalid_credentials"


class Rate(NamedTuple):
    """At most `hits` in `seconds`."""

    hits: int
    seconds: int


class Handler(AxesDatabaseHandler):
    """django-axes' database handler, with three limits instead of one."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Return the largest of the three counts, each scaled so that settings.AXES_FAILURE_LIMIT is its limit."""
        name, address = login_name(request, credentials), request.axes_ip_address  # type: ignore[attr-defined]
        recent = AccessAttempt.objects.filter(attempt_time__gte=request.axes_attempt_time - settings.AXES_COOLOFF_TIME)  # type: ignore[attr-defined]
        of_both = _failures(recent.filter(username=name, ip_address=address))
        of_account = 0 if is_known(name, address) else _failures(recent.filter(username=name))
        of_address = _failures(recent.filter(ip_address=address))
        scaled = max(of_account, of_address) * settings.AXES_FAILURE_LIMIT // settings.LOGIN_FAILURES_ANYWHERE
        return max(of_both, int(scaled))


@contextmanager
def one_at_a_time(request: HttpRequest, credentials: dict[str, Any]) -> Iterator[None]:
    """Let no other guess at this account or from this address run between the check of the limits and the count.

    Otherwise all guesses that are sent at once pass the check before the first one is counted. A DomainError passes
    through and what was counted stays.
    """
    refusal = None
    # Always in this order, so that two requests never wait for each other.
    held = (f"log-in account {login_name(request, credentials)}", f"log-in address {client_network(request)}")
    with transaction.atomic():
        with connection.cursor() as cursor:
            for name in held:
                number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
        try:
            yield
        except DomainError as error:
            refusal = error
    if refusal is not None:
        raise refusal


def check(request: HttpRequest, *, name: str, password: str) -> User:
    """Return the user with this name or email and password; raise WrongCredentials or TooManyAttempts."""
    user = authenticate(request, username=name, password=password)
    if isinstance(user, User):
        return user
    raise refusal(request)


def record_failure(request: HttpRequest, *, name: str) -> DomainError:
    """Count a failure after the right password, such as a wrong second factor, and return the error to raise."""
    user_login_failed.send(sender=__name__, credentials={"username": name}, request=request)
    return refusal(request)


def record_success(request: HttpRequest, user: User) -> None:
    """Delete this account's failures from this address, and remember the address as the owner's."""
    address, name = client_network(request), user.get_username()
    AxesProxyHandler.reset_attempts(username=name.lower(), ip_address=address)
    if not is_known(name, address):
        AccessLog.objects.create(username=name, ip_address=address, user_agent="", http_accept="", path_info="")


def refusal(request: HttpRequest) -> DomainError:
    """Return the error for a refused log-in. A lock that this failure caused begins with the next attempt."""
    if getattr(request, "axes_locked_out", False):
        return TooManyAttempts(
            _("Too many login attempts. Wait, or reset your password on the login page."),
            retry_after=int(settings.AXES_COOLOFF_TIME.total_seconds()),
        )
    return WrongCredentials(_("Wrong username or password."))


def login_name(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """Return the name under which failures count: the account's user name, or an unknown name as it was sent."""
    fields = credentials or request.POST
    sent = normalize(str(fields.get("username") or fields.get("email") or fields.get("login") or ""))[:MAX_LENGTH]
    sent = sent.replace("\x00", "")
    names = User.objects.filter(Q(username__iexact=sent) | Q(email__iexact=sent)).values_list("username", flat=True)
    return (names.first() or sent).lower()


def is_known(name: str, address: str) -> bool:
    """Return whether the account's owner has logged in from this address before."""
    return bool(AccessLog.objects.filter(username__iexact=name, ip_address=address).exists())


def is_current_password(user: User, *, password: str, now: datetime) -> bool:
    """Return whether this is the password of a logged-in user; raise TooManyAttempts.

    Every try counts, right or wrong: a stolen token must not be enough to guess the password.
    """
    rate = Rate(settings.AXES_FAILURE_LIMIT, int(settings.AXES_COOLOFF_TIME.total_seconds()))
    if seconds := hit("current_password", str(user.pk), rate=rate, now=now):
        raise TooManyAttempts(_("Too many attempts to enter your current password."), retry_after=seconds)
    return user.check_password(password)


def check_code_try(user: User, *, now: datetime) -> None:
    """Count a try of a second factor on a page; raise TooManyAttempts after as many as wrong passwords may be tried.

    The right code forgets them (`forget_code_tries`).
    """
    rate = Rate(settings.AXES_FAILURE_LIMIT, int(settings.AXES_COOLOFF_TIME.total_seconds()))
    if seconds := hit("second_factor", str(user.pk), rate=rate, now=now):
        raise TooManyAttempts(_("Too many wrong codes. Wait before you try again."), retry_after=seconds)


def forget_code_tries(user: User) -> None:
    """Forget the tries of a second factor, after the right one."""
    RateCount.objects.filter(key=_key("second_factor", str(user.pk))).delete()


def hit(scope: str, who: str, *, rate: Rate, now: datetime) -> int:
    """Count one hit. Return 0 if it is within the rate, otherwise the seconds until the window ends."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, {"key": _key(scope, who), "now": now, "ends_at": now + timedelta(seconds=rate.seconds)})
        hits, ends_at = cursor.fetchone()
    return 0 if hits <= rate.hits else max(1, round((ends_at - now).total_seconds()))


def forget(*, now: datetime) -> int:
    """Delete the counters whose window has ended and return how many."""
    return RateCount.objects.filter(ends_at__lte=now).delete()[0]


def _key(scope: str, who: str) -> str:
    return hashlib.sha256(f"{scope} {who}".encode()).hexdigest()


def _failures(attempts: QuerySet[Any]) -> int:
    return int(attempts.aggregate(total=Sum("failures_since_start"))["total"] or 0)
