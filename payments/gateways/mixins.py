"""Mixins for gateways that lack something: each implements the methods of payments.gateways.base.Gateway about it."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from payments.gateways.aftermath import DisputeSnapshot, PayoutSnapshot
from payments.gateways.base import Notification
from payments.gateways.charges import ChargeRequest
from payments.gateways.errors import BadWebhook, GatewayError
from payments.gateways.methods import Method, SetupRequest, SetupSnapshot
from payments.gateways.sessions import Session, Snapshot


class NoDisputes:
    """The gateway does not report disputes."""

    def fetch_dispute(self, gateway_id: str) -> DisputeSnapshot:
        raise GatewayError("This gateway does not report disputes.", permanent=True, code="not_supported")

    def list_disputes(self, *, since: datetime, until: datetime) -> Iterator[DisputeSnapshot]:
        yield from ()


class NoMethods:
    """The gateway does not keep payment methods, so it charges none."""

    def fetch_method(self, gateway_id: str) -> Method:
        raise GatewayError("This gateway does not keep payment methods.", permanent=True, code="not_supported")

    def create_setup(self, request: SetupRequest) -> Session:
        raise GatewayError("This gateway does not keep payment methods.", permanent=True, code="not_supported")

    def fetch_setup(self, gateway_id: str) -> SetupSnapshot:
        raise GatewayError("This gateway does not keep payment methods.", permanent=True, code="not_supported")

    def charge(self, request: ChargeRequest) -> Snapshot:
        raise GatewayError("This gateway does not charge without the customer.", permanent=True, code="not_supported")

    def find_charge(self, request: ChargeRequest) -> Snapshot | None:
        raise GatewayError("This gateway does not charge without the customer.", permanent=True, code="not_supported")

    def remove_method(self, gateway_id: str) -> None:
        raise GatewayError("This gateway does not keep payment methods.", permanent=True, code="not_supported")


class NoPayouts:
    """The gateway does not report its payouts."""

    def fetch_payout(self, gateway_id: str) -> PayoutSnapshot | None:
        raise GatewayError("This gateway does not report payouts.", permanent=True, code="not_supported")

    def list_payouts(self, *, since: datetime, until: datetime) -> Iterator[PayoutSnapshot]:
        yield from ()


class NoWebhooks:
    """The gateway does not send webhooks, so any that arrives is from somebody else."""

    def parse_webhook(self, body: bytes, headers: Mapping[str, str], *, address: str) -> Notification:
        raise BadWebhook("This gateway does not send webhooks.")
