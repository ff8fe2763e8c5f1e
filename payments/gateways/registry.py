"""The gateways of this site. Those that the code knows and those that customers are offered are two lists.

GATEWAY_CLASSES has every gateway that the code knows: each is asked, refunded and listened to, offered or not.
PAYMENT_GATEWAYS names those offered for new payments, the default one first. Taking one off it loses nothing.
"""

from math import lcm
from typing import cast

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from core.errors import DomainError
from ledger.money import EXPONENTS, Money
from payments.gateways.base import Capabilities, Gateway
from payments.gateways.errors import OTHER_MODE, GatewayError
from payments.gateways.guard import guarded


class UnknownGateway(DomainError):
    """This site does not offer a gateway of that name."""

    code = "unknown_gateway"
    param = "gateway"


class NoGateway(DomainError):
    """No gateway that is offered takes this currency or this amount."""

    code = "no_gateway"
    param = "currency"


def get(name: str) -> Gateway:
    """Return the gateway of that name, offered or not; raise UnknownGateway if the code does not know it."""
    if name not in settings.GATEWAY_CLASSES:
        raise unknown(name)
    return guarded(_bare(name))


def names(currency: str | None = None, amount: int | None = None) -> list[str]:
    """Return the names of the gateways that customers are offered, the default one first.

    With a currency, and an amount in its minor units, only those that take them.
    """
    offered: list[str] = [name for name in settings.PAYMENT_GATEWAYS if name in settings.GATEWAY_CLASSES]
    return offered if currency is None else [name for name in offered if _bare(name).can.takes(currency, amount)]


def offer(name: str | None, currency: str, amount: int | None = None) -> Gateway:
    """Return the gateway with this name, by default the first, if customers are offered it for this currency.

    An amount, in minor units, must be within its limits too. Raises UnknownGateway or NoGateway, which says what is
    possible.
    """
    fitting = names(currency, amount)
    if name is None and fitting:
        return get(fitting[0])
    if name in fitting:
        return get(str(name))
    if name is not None and name not in names():
        raise unknown(name)
    raise _not_taken(name, currency, amount)


def currencies(name: str | None = None) -> list[str]:
    """Return the currencies that the offered gateways take, or that one of them takes."""
    offered = names() if name is None else [name]
    return sorted({currency for each in offered for currency in _bare(each).can.currencies if currency in EXPONENTS})


def limits(currency: str, name: str | None = None) -> tuple[int, int] | None:
    """Return the least and the most of one payment, in minor units, at the offered gateways or at one of them.

    None if none of them takes the currency. Raises UnknownGateway if that one is not offered.
    """
    if name is not None and name not in names():
        raise unknown(name)
    taking = [each for each in names(currency) if name in (None, each)]
    ranges = [_bare(each).can.currencies[currency] for each in taking]
    return (min(least for least, _ in ranges), max(most for _, most in ranges)) if ranges else None


def step(currency: str, name: str | None = None) -> int:
    """Return a number of minor units whose multiples all offered gateways of the currency take, or one gateway."""
    taking = names(currency) if name is None else [name]
    return lcm(*(_bare(each).can.steps.get(currency, 1) for each in taking))


def can(name: str) -> Capabilities:
    """Return what the gateway of that name can do, offered or not; raise UnknownGateway. No network."""
    if name not in settings.GATEWAY_CLASSES:
        raise unknown(name)
    return _bare(name).can


def configured() -> list[Gateway]:
    """Return every gateway that the code knows and that has keys, offered or not."""
    return [get(name) for name in settings.GATEWAY_CLASSES if _bare(name).is_configured()]


def cannot_tell(name: str, error: GatewayError) -> bool:
    """Tell whether an error means that nobody can ask this gateway now: it has no keys, or those of the other mode."""
    return error.code == OTHER_MODE or not is_configured(name)


def is_configured(name: str) -> bool:
    """Tell whether the code knows the gateway of that name, and it has keys."""
    return name in settings.GATEWAY_CLASSES and _bare(name).is_configured()


def form_targets() -> list[str]:
    """Return the origins to which forms may lead, for the CSP: also of gateways whose open payments are finished."""
    live = {*names(), *(gateway.name for gateway in configured())}
    return sorted({target for name in live for target in _bare(name).can.form_targets})


def unknown(name: str) -> UnknownGateway:
    """Return the refusal of a name that is not offered."""
    return UnknownGateway(
        _("There is no gateway %(name)s. Available: %(known)s.") % {"name": repr(name), "known": ", ".join(names())}
    )


def _not_taken(name: str | None, currency: str, amount: int | None) -> NoGateway:
    """Return the refusal of a currency or an amount that the offered gateways, or one of them, do not take."""
    possible = limits(currency, name) if currency in EXPONENTS else None
    if possible is not None and amount is not None:
        least, most = (Money(limit, currency) for limit in possible)
        words = {"least": least, "most": most, "sent": Money(amount, currency)}
        text = _("One payment can be from %(least)s to %(most)s. This one is %(sent)s.")
        return NoGateway(text % words, param="amount")
    known = {"known": ", ".join(currencies(name)) or "-", "currency": currency, "gateway": name}
    if name is None:
        return NoGateway(_("%(currency)s cannot be paid here. Possible: %(known)s.") % known)
    others = ", ".join(names(currency, amount))
    if not others:
        return NoGateway(_("%(gateway)s does not take %(currency)s. Possible: %(known)s.") % known)
    text = _("%(gateway)s does not take %(currency)s. It takes %(known)s. For %(currency)s choose %(others)s.")
    return NoGateway(text % {**known, "others": others}, param="gateway")


def problems() -> list[str]:
    """Return what is wrong with the settings of the gateways that are offered or have keys, for the system check."""
    missing = [
        f"PAYMENT_GATEWAYS names {name!r}, which is none of {', '.join(settings.GATEWAY_CLASSES)}"
        for name in settings.PAYMENT_GATEWAYS
        if name not in settings.GATEWAY_CLASSES
    ]
    known = {name: _bare(name) for name in settings.GATEWAY_CLASSES}
    wanted = [each for name, each in known.items() if name in settings.PAYMENT_GATEWAYS or each.is_configured()]
    return missing + [problem for each in wanted for problem in each.problems()]


def _bare(name: str) -> Gateway:
    return cast(Gateway, import_string(settings.GATEWAY_CLASSES[name])())
