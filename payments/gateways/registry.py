"""The gateways of this site: PAYMENT_GATEWAYS names them, GATEWAY_CLASSES has their classes (billing_site/settings)."""

from typing import cast

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from core.errors import DomainError
from payments.gateways.base import Gateway


class UnknownGateway(DomainError):
    """This site has no gateway of that name."""

    code = "unknown_gateway"
    param = "gateway"


def names() -> list[str]:
    """Return the names of the gateways customers may use, the default one first."""
    return list(settings.PAYMENT_GATEWAYS)


def get(name: str) -> Gateway:
    """Return the gateway of that name; raise UnknownGateway if this site does not have it."""
    if name not in settings.PAYMENT_GATEWAYS:
        raise UnknownGateway(
            _("There is no gateway %(name)s. Available: %(known)s.") % {"name": repr(name), "known": ", ".join(names())}
        )
    return cast(Gateway, import_string(settings.GATEWAY_CLASSES[name])())


def problems() -> list[str]:
    """Return what is wrong with the gateways' settings, for the system check."""
    unknown = [f"PAYMENT_GATEWAYS names {n!r}, GATEWAY_CLASSES does not" for n in names() if not _is_known(n)]
    return unknown + [problem for n in names() if _is_known(n) for problem in get(n).problems()]


def _is_known(name: str) -> bool:
    return name in settings.GATEWAY_CLASSES
