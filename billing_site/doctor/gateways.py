"""The payment gateways: keys, whether they answer, how their webhooks are set up, and when one came last."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import cast

from django.conf import settings
from django.urls import reverse

from billing_site.doctor.result import Result, fails, ok, unknown, warning
from core import clock
from payments.gateways import registry
from payments.gateways.base import Gateway, KnowsItsWebhooks
from payments.gateways.errors import GatewayError
from payments.models import Payment, WebhookEvent

# The list of so many minutes is asked for: enough to try the keys.
SPAN = timedelta(minutes=5)
# If payments were made since and no webhook came, something is wrong.
QUIET = timedelta(days=1)


def examine() -> Iterator[Result]:
    """Examine each gateway that is offered or has keys."""
    for problem in registry.problems():
        yield fails("gateways", problem, "Correct the setting, or take the gateway off PAYMENT_GATEWAYS.")
    now = clock.now()
    for gateway in registry.configured():
        yield from _answers(gateway, now)
        yield from _set_up(gateway)
        yield from _heard(gateway, now)
    if registry.names() == ["sandbox"] and not settings.LOCAL:
        yield warning("gateways", "only the sandbox is offered, which takes play money", "Set PAYMENT_GATEWAYS.")


def address_of(name: str) -> str:
    """Return the address to which a gateway sends its webhooks."""
    return f"{settings.SITE_URL}{reverse('webhook', args=[name])}"


def _answers(gateway: Gateway, now: datetime) -> Iterator[Result]:
    """Ask the gateway for its latest payments: that changes nothing, and needs right keys."""
    part = f"gateway {gateway.name}"
    try:
        next(iter(gateway.list_payments(since=now - SPAN, until=now)), None)
    except GatewayError as error:
        yield fails(part, f"does not answer: {error.code}: {error.detail}", "Check its keys, and the way to its API.")
    else:
        yield ok(part, "answers, and takes our keys")


def _set_up(gateway: Gateway) -> Iterator[Result]:
    """Ask the gateway how its webhooks are set up, if it can tell."""
    part, address = f"webhooks {gateway.name}", address_of(gateway.name)
    if gateway.can.is_manual:
        return
    if not gateway.can.knows_its_webhooks:
        yield unknown(part, "the gateway does not tell how they are set up", f"They must go to {address}.")
        return
    try:
        problems = cast(KnowsItsWebhooks, gateway).webhook_problems(address)
    except GatewayError as error:
        yield unknown(part, f"could not be asked: {error.code}: {error.detail}", f"They must go to {address}.")
        return
    for problem in problems:
        yield fails(part, problem, "Correct it at the gateway; docs/gateways.md has the steps.")
    if not problems:
        yield ok(part, f"are sent to {address}")


def _heard(gateway: Gateway, now: datetime) -> Iterator[Result]:
    """Say when a webhook came last; warn if payments were made for a day and none came."""
    if gateway.can.is_manual:
        return
    part = f"webhooks {gateway.name}"
    last = (
        WebhookEvent.objects.filter(gateway=gateway.name).order_by("-id").values_list("received_at", flat=True).first()
    )
    silent_since = now - QUIET
    paid = Payment.objects.filter(
        gateway=gateway.name, status=Payment.Status.CONFIRMED, created_at__range=(silent_since, now)
    )
    if paid.exists() and (last is None or last < silent_since):
        yield fails(
            part,
            "payments were made in the last day, and no webhook came",
            f"Are they sent to {address_of(gateway.name)}?",
        )
    elif last is None:
        yield unknown(part, "none has come yet")
    else:
        yield ok(part, f"the last one came at {last:%Y-%m-%d %H:%M} UTC")
