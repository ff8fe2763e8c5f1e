"""The YooKassa gateway. Money is taken at once (`capture`), on a page of YooKassa's."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.utils import timezone

from core import ids
from ledger.money import EXPONENTS, Money, exponent_of
from payments.gateways.aftermath import RefundRequest, RefundSnapshot
from payments.gateways.base import Capabilities, Notification
from payments.gateways.charges import METHOD_GONE, ChargeRequest
from payments.gateways.errors import GatewayError
from payments.gateways.methods import Method, SetupRequest, SetupSnapshot
from payments.gateways.mixins import NoDisputes, NoPayouts
from payments.gateways.sessions import Session, SessionRequest, Snapshot
from payments.gateways.yookassa import charges, client, fiscal_receipts, setups, snapshots, webhooks

# The longest texts that YooKassa takes, in characters.
LONGEST_DESCRIPTION = 128
LONGEST_REFUND_DESCRIPTION = 250
# How long a customer has on the page. YooKassa does not say it in the payment; a page that lasts longer can still be
# paid, which is found when the payment is asked about.
PAGE_LASTS = timedelta(hours=1)
# YooKassa forgets an idempotency key after 24 hours. From this age a payment is looked for before it is made again.
KEYS_LAST = timedelta(hours=23)
# Clocks differ, so a search by time begins a little before. Of a key that tells no time it goes back so far.
MARGIN, LOOK_BACK = timedelta(minutes=5), timedelta(days=7)
# The least and the most of one payment, in major units. Methods have lower limits of their own.
LEAST, MOST = 1, 1_000_000
# Where the page is: the customer may be sent on from one host to the other.
PAGES = ("https://yoomoney.ru", "https://yookassa.ru")
LOCALES = {"ru": "ru_RU"}
Given = TypeVar("Given", Snapshot, RefundSnapshot)
LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")


class YooKassa(NoDisputes, NoPayouts):
    """Implements payments.gateways.base.Gateway. Settlements are reported in registers, which are sent by mail."""

    name = "yookassa"

    @property
    def can(self) -> Capabilities:
        return Capabilities(
            currencies={
                currency: (LEAST * 10 ** exponent_of(currency), MOST * 10 ** exponent_of(currency))
                for currency in settings.YOOKASSA_CURRENCIES
                if currency in EXPONENTS
            },
            cancels_pages=False,
            saves_methods=settings.YOOKASSA_SAVES_METHODS,
            adds_methods=settings.YOOKASSA_SAVES_METHODS,
            removes_methods=False,
            charges_off_session=settings.YOOKASSA_SAVES_METHODS,
            signs_webhooks=False,
            form_targets=(client.base(),) if settings.YOOKASSA_API_BASE else PAGES,
        )

    def is_configured(self) -> bool:
        return bool(settings.YOOKASSA_SHOP_ID and settings.YOOKASSA_SECRET_KEY)

    def problems(self) -> list[str]:
        found = []
        if not str(settings.YOOKASSA_SHOP_ID).isdecimal():
            found.append("YOOKASSA_SHOP_ID must be the number of the shop")
        if not settings.YOOKASSA_SECRET_KEY:
            found.append("YOOKASSA_SECRET_KEY is blank")
        base = urlsplit(client.base())
        if base.scheme != "https" and not (base.scheme == "http" and base.hostname in LOCAL_HOSTS):
            found.append("YOOKASSA_API_BASE must begin with https://, or the key would be sent unencrypted")
        unknown = [currency for currency in settings.YOOKASSA_CURRENCIES if currency not in EXPONENTS]
        if unknown:
            found.append(f"YOOKASSA_CURRENCIES has {', '.join(unknown)}, which is no currency of ours")
        return found + webhooks.problems() + fiscal_receipts.problems()

    def create_session(self, request: SessionRequest) -> Session:
        if not self.can.takes(request.currency, request.amount):
            raise GatewayError("YooKassa does not take this amount.", permanent=True, code="amount_not_taken")
        made = self._made_before(request.idempotency_key) or client.post(
            "payments", _payment(request), key=request.idempotency_key
        )
        confirmation = made.get("confirmation")
        url = confirmation.get("confirmation_url") if isinstance(confirmation, dict) else None
        if not isinstance(url, str) or not url.startswith(("https://", "http://")):
            if made.get("status") == "pending":
                raise client.unreadable("a payment without a page")
            # It was paid or cancelled meanwhile, so it has no page any more. Its state is asked for next.
            url = request.return_url
        snapshot = snapshots.payment(made)
        return Session(
            gateway_id=snapshot.gateway_id,
            confirmation_url=url,
            expires_at=(snapshot.created_at or _now()) + PAGE_LASTS,
        )

    def fetch(self, gateway_id: str) -> Snapshot:
        return snapshots.payment(_fetch("payments", gateway_id))

    def cancel(self, gateway_id: str) -> Snapshot:
        # Only a payment that waits for capture can be cancelled, and ours never wait for it.
        return self.fetch(gateway_id)

    def charge(self, request: ChargeRequest) -> Snapshot:
        if not self.can.takes(request.currency, request.amount):
            raise GatewayError("YooKassa does not take this amount.", permanent=True, code="amount_not_taken")
        try:
            made = client.post("payments", charges.body(request), key=request.idempotency_key)
        except GatewayError as error:
            if error.permanent and "payment_method_id" in error.detail:
                raise GatewayError(error.detail, permanent=True, code=METHOD_GONE) from error
            raise
        return snapshots.payment(made)

    def find_charge(self, request: ChargeRequest) -> Snapshot | None:
        found = _find_by_key(request.idempotency_key)
        return snapshots.payment(found) if found else None

    def refund(self, request: RefundRequest) -> RefundSnapshot:
        money = Money(request.amount, request.currency)
        body: dict[str, Any] = {
            "payment_id": request.gateway_id,
            "amount": _amount(money),
            "description": _refund_description(request),
            "metadata": {snapshots.REFUND_KEY: request.idempotency_key},
        }
        if fiscal_receipts.are_on():
            paid = _fetch("payments", request.gateway_id)
            email = str((paid.get("metadata") or {}).get(snapshots.EMAIL_KEY) or "")
            body |= fiscal_receipts.data(description=str(paid.get("description") or ""), money=money, email=email)
        return snapshots.refund(client.post("refunds", body, key=request.idempotency_key))

    def find_refund(self, request: RefundRequest) -> RefundSnapshot | None:
        for found in client.pages("refunds", {"payment_id": request.gateway_id}):
            snapshot = snapshots.refund(found)
            if snapshot.idempotency_key == request.idempotency_key:
                return snapshot
        return None

    def fetch_refund(self, gateway_id: str) -> RefundSnapshot:
        return snapshots.refund(_fetch("refunds", gateway_id))

    def fetch_method(self, gateway_id: str) -> Method:
        return snapshots.method(_fetch("payment_methods", gateway_id))

    def create_setup(self, request: SetupRequest) -> Session:
        if not self.can.adds_methods:
            raise GatewayError("This shop may not keep payment methods.", permanent=True, code="not_supported")
        made = client.post("payment_methods", setups.body(request), key=request.idempotency_key)
        return setups.page(made, request)

    def fetch_setup(self, gateway_id: str) -> SetupSnapshot:
        return setups.of_method(_fetch("payment_methods", gateway_id))

    def remove_method(self, gateway_id: str) -> None:
        raise GatewayError("YooKassa's API removes no saved methods.", permanent=True, code="not_supported")

    def list_payments(self, *, since: datetime, until: datetime) -> Iterator[Snapshot]:
        yield from _made_between(since, until, map(snapshots.payment, client.pages("payments", _span(since, until))))

    def list_refunds(self, *, since: datetime, until: datetime) -> Iterator[RefundSnapshot]:
        yield from _made_between(since, until, map(snapshots.refund, client.pages("refunds", _span(since, until))))

    def parse_webhook(self, body: bytes, headers: Mapping[str, str], *, address: str) -> Notification:
        return webhooks.parse(body, address=address)

    def _made_before(self, key: str) -> dict[str, Any] | None:
        """Return the payment that an earlier call made with a key so old that YooKassa may have forgotten it."""
        begun = ids.time_of(key)
        return None if begun is None or _now() - begun < KEYS_LAST else _find_by_key(key)


def _find_by_key(key: str) -> dict[str, Any] | None:
    """Return the payment that was made with this key, looked for in the list since the key was made; None if none."""
    now = _now()
    for found in client.pages("payments", _span((ids.time_of(key) or now - LOOK_BACK) - MARGIN, now + MARGIN)):
        if snapshots.payment(found).idempotency_key == key:
            return found
    return None


def _payment(request: SessionRequest) -> dict[str, Any]:
    """Return the body that makes a payment. It must be the same whenever the request is repeated."""
    money = Money(request.amount, request.currency)
    receipt = fiscal_receipts.data(description=request.description, money=money, email=request.email)
    metadata = {snapshots.PAYMENT_KEY: request.idempotency_key}
    if receipt:
        # Refunds need a receipt too, and know only the payment.
        metadata[snapshots.EMAIL_KEY] = request.email
    body: dict[str, Any] = {
        "amount": _amount(money),
        "capture": True,
        "confirmation": {
            "type": "redirect",
            "return_url": request.return_url,
            "locale": LOCALES.get(request.language.split("-")[0], "en_US"),
        },
        "metadata": metadata,
    }
    if request.description:
        body["description"] = _shortened(request.description, LONGEST_DESCRIPTION)
    if request.customer:
        body["merchant_customer_id"] = request.customer
    if request.save_method and settings.YOOKASSA_SAVES_METHODS:
        body["save_payment_method"] = True
    return body | receipt


def _refund_description(request: RefundRequest) -> str:
    """Return the reason for a refund with our id, which staff see in YooKassa's console too."""
    mark = f"({request.idempotency_key})"
    return f"{_shortened(request.description, LONGEST_REFUND_DESCRIPTION - len(mark) - 1)} {mark}".strip()


def _fetch(kind: str, gateway_id: str) -> dict[str, Any]:
    """Return the object with this id. Raises GatewayError."""
    found = client.get(f"{kind}/{quote(gateway_id, safe='')}")
    if found.get("id") != gateway_id:
        raise client.unreadable("another object than the one asked for")
    return found


def _amount(money: Money) -> dict[str, str]:
    return {"value": money.plain(), "currency": money.currency}


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _made_between(since: datetime, until: datetime, listed: Iterable[Given]) -> Iterator[Given]:
    """Yield what was made in [since, until) to the microsecond: YooKassa's filter counts milliseconds only."""
    return (each for each in listed if each.created_at is None or since <= each.created_at < until)


def _span(since: datetime, until: datetime) -> dict[str, str | int]:
    """Return the filter of a list to what was made in [since, until)."""
    return {"created_at.gte": _written(since), "created_at.lt": _written(until)}


def _written(at: datetime) -> str:
    """Return a moment as YooKassa writes it: 2017-11-03T11:52:31.827Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _now() -> datetime:
    """Return the time, to compare with the age of an idempotency key."""
    return timezone.now()  # noqa: TID251
