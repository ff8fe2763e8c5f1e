"""The gateways of this site. Those that the code knows and those that customers are offered are two lists.

GATEWAY_CLASSES has every gateway that the code knows: each goes on being asked, confirmed, refunded and listened to.
PAYMENT_GATEWAYS names those offered for new payments, the default one first. Taking one off it loses nothing.
"""

from typing import cast

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from core.errors import DomainError
from payments.gateways.base import Gateway
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


def names(currency: str | None = None) -> list[str]:
    """Return the names of the gateways that customers are offered, for a currency if given; the default one first."""
    offered: list[str] = [name for name in settings.PAYMENT_GATEWAYS if name in settings.GATEWAY_CLASSES]
    return offered if currency is None else [name for name in offered if _bare(name).can.takes(currency)]


def offer(name: str | None, currency: str) -> Gateway:
    """Return the gateway with this name, by default the first, if customers are offered it for this currency.

    Raises UnknownGateway or NoGateway.
    """
    fitting = names(currency)
    if name is None and fitting:
        return get(fitting[0])
    if name in fitting:
        return get(str(name))
    if name is not None and name not in names():
        raise unknown(name)
    raise NoGateway(
        _("%(currency)s cannot be paid here. Possible: %(known)s.")
        % {"currency": currency, "known": ", ".join(currencies(name)) or "-"}
    )


def currencies(name: str | None = None) -> list[str]:
    """Return the currencies that the offered gateways take, or that one of them takes."""
    offered = names() if name is None else [name]
    return sorted({currency for each in offered for currency in _bare(each).can.currencies})


def configured() -> list[Gateway]:
    """Return every gateway that the code knows and that has keys, offered or not."""
    return [get(name) for name in settings.GATEWAY_CLASSES if _bare(name).is_configured()]


def form_targets() -> list[str]:
    """Return the origins to which forms may lead, for the CSP: also of gateways whose open payments are finished."""
    live = {*names(), *(gateway.name for gateway in configured())}
    return sorted({target for name in live for target in _bare(name).can.form_targets})


def unknown(name: str) -> UnknownGateway:
    """Return the refusal of a name that is not offered."""
    return UnknownGateway(
        _("There is no gateway %(name)s. Available: %(known)s.") % {"name": repr(name), "known": ", ".join(names())}
    )


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
