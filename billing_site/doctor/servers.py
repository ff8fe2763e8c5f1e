"""The servers around the database: broker, cache and mail server; and the disk and the settings of this machine."""

import shutil
from collections.abc import Iterator

from django.conf import settings
from django.core.cache import cache
from django.core.checks import run_checks

from billing_site import status
from billing_site.doctor.result import Result, fails, ok, unknown, warning
from core.cache import TAKES_NO_WRITES
from events.mails.server import MailServer, Unreachable

# Parts of a disk that must be free: below the first it fails, below the second it warns.
LEAST_FREE, LITTLE_FREE = 0.03, 0.1
LONG_QUEUE = 1000
# What helps a Redis or Valkey that answers and takes no writes.
MORE_MEMORY = "Give it more memory (maxmemory), or name the primary server if this is a replica of it."


def configuration() -> Iterator[Result]:
    """Run Django's checks for a deployment, and ours."""
    found = run_checks(include_deployment_checks=not settings.LOCAL)
    for message in found:
        make = fails if message.is_serious() else warning
        yield make("settings", f"{message.id}: {message.msg}", str(message.hint or "See .env.example."))
    if not found:
        yield ok("settings", "a local run, whose settings nobody else can reach" if settings.LOCAL else "no complaints")


def broker() -> Iterator[Result]:
    """Connect to the broker, read the lengths of the queues, and try whether it takes more."""
    try:
        lengths, refusal = status.broker()
    except Exception as error:  # noqa: BLE001 - the libraries of brokers raise errors of many kinds
        yield fails(
            "broker", f"unreachable: {type(error).__name__}", "Start Redis or Valkey, or correct CELERY_BROKER_URL."
        )
        return
    says = ", ".join(f"{name} {length}" for name, length in lengths.items())
    if refusal:
        yield fails("broker", f"takes no tasks: {refusal}", f"{MORE_MEMORY} Tasks that wait: {says}.")
    elif max(lengths.values()) > LONG_QUEUE:
        yield warning("broker", f"tasks that wait: {says}", "Run more workers for the long queue.")
    else:
        yield ok("broker", f"tasks that wait: {says}")


def the_cache() -> Iterator[Result]:
    """Connect to the cache, and write to it."""
    trouble = cache.trouble()  # type: ignore[attr-defined]
    if trouble:
        advice = MORE_MEMORY if trouble == TAKES_NO_WRITES else "Start it, or correct CACHE_URL."
        yield fails("cache", f"{trouble}: throttles and breakers do not work", advice)
    else:
        yield ok("cache", "answers")


def mail() -> Iterator[Result]:
    """Connect to the mail server and log in. Nothing is sent."""
    if not settings.MAIL_BACKEND:
        yield fails("mail", "no mail server is set: mails wait, links to reset a password too", "Set EMAIL_URL.")
        return
    server = MailServer()
    try:
        server.open()
    except Unreachable as error:
        names = "EMAIL_URL" if "smtp" in settings.MAIL_BACKEND else "MAIL_BACKEND and ANYMAIL"
        yield fails("mail", f"{settings.MAIL_BACKEND}: {error}", f"Correct {names}, or start the mail server.")
        return
    finally:
        server.close()
    if "smtp" in settings.MAIL_BACKEND:
        yield ok("mail", f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT} lets us in")
    elif settings.MAIL_BACKEND.startswith("anymail."):
        yield unknown(
            "mail", f"{settings.MAIL_BACKEND}: keys are tried by the first mail", "Send a mail: reset a password."
        )
    else:
        yield ok("mail", f"{settings.MAIL_BACKEND} is ready")


def disk() -> Iterator[Result]:
    """Examine the free space where this machine keeps data."""
    folder = settings.VAR_DIR if settings.VAR_DIR.exists() else settings.BASE_DIR
    usage = shutil.disk_usage(folder)
    free = usage.free / usage.total
    says = f"{usage.free / 2**30:.1f} GiB free ({free:.0%}) under {folder}"
    if free < LEAST_FREE:
        yield fails("disk", says, "Free space: a full disk stops PostgreSQL.")
    elif free < LITTLE_FREE:
        yield warning("disk", says, "Free space soon.")
    else:
        yield ok("disk", f"{says}; that of another database server is not seen from here")
