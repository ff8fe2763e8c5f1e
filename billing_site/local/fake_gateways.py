"""The fake gateways that `make run` can run beside the site: `make run GATEWAY=stripe-fake` or `yookassa-fake`."""

import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from billing_site.environment import env
from billing_site.local.fakes import stripe, yookassa


@dataclass(frozen=True)
class FakeGateway:
    """A fake: the gateway that it stands for, its program, and the settings of the site that make it use the fake."""

    gateway: str
    module: str
    settings: Mapping[str, str]
    # The setting that names the gateway's address, and where the fake listens.
    base: str
    port: int

    def command(self) -> list[str]:
        """Return the command that runs it. Its webhooks go to the site."""
        site = env.str("SITE_URL") or f"http://127.0.0.1:{os.environ['PORT']}"
        webhooks = f"{site.rstrip('/')}/webhooks/{self.gateway}/"
        return [sys.executable, "-m", self.module, "--port", str(self.port), "--webhook-url", webhooks]

    def environment(self) -> dict[str, str]:
        """Return what web, worker and scheduler need in their environment. It is offered first, before the sandbox."""
        base = {self.base: f"http://127.0.0.1:{self.port}", "PAYMENT_GATEWAYS": f"{self.gateway},sandbox"}
        return {**self.settings, **base}


def chosen() -> FakeGateway | None:
    """Return the fake that the variable GATEWAY names, None if it is blank. Raises ValueError, whose text says why."""
    name = env.str("GATEWAY")
    if not name:
        return None
    if name not in FAKES:
        known = " or ".join(FAKES)
        raise ValueError(f"GATEWAY is {name!r}, but must be {known}, or blank: make run GATEWAY=stripe-fake")
    if not env.bool("LOCAL", default=False):
        raise ValueError("GATEWAY is for your own machine only: its keys are public. Set LOCAL=1, or remove it.")
    return FAKES[name]()


def _stripe() -> FakeGateway:
    return FakeGateway(
        gateway="stripe",
        module="billing_site.local.fakes.stripe",
        settings={"STRIPE_SECRET_KEY": stripe.KEY, "STRIPE_WEBHOOK_SECRET": stripe.WEBHOOK_SECRET},
        base="STRIPE_API_BASE",
        port=_free_port(),
    )


def _yookassa() -> FakeGateway:
    return FakeGateway(
        gateway="yookassa",
        module="billing_site.local.fakes.yookassa",
        settings={
            "YOOKASSA_SHOP_ID": yookassa.SHOP_ID,
            "YOOKASSA_SECRET_KEY": yookassa.SECRET_KEY,
            "YOOKASSA_NETWORKS": yookassa.NETWORK,
            "YOOKASSA_SAVES_METHODS": "1",
        },
        base="YOOKASSA_API_BASE",
        port=_free_port(),
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


FAKES = {"stripe-fake": _stripe, "yookassa-fake": _yookassa}
