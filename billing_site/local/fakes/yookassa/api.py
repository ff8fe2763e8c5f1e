"""YooKassa's API, version 3, with its payment page and notifications. The shop behind it is in shop.py."""

import base64
import json
import uuid
from datetime import datetime
from typing import Any

from billing_site.local.fakes.harness import Fake, Refused
from billing_site.local.fakes.server import Answer, Request, as_json, page, redirect
from billing_site.local.fakes.yookassa import SECRET_KEY, SHOP_ID, fields
from billing_site.local.fakes.yookassa.shop import Forbidden, Shop, Thing

# The buttons of the page: the last part of the path that they post to, and their labels.
BUTTONS = (
    ("pay", "Pay by card"), ("sbp", "Pay by SBP"), ("3ds", "Pay by a card with 3-D Secure"),
    ("decline", "Decline: insufficient funds"), ("expire", "Let the page expire"), ("leave", "Go back without paying"),
)  # fmt: skip
METHOD_BUTTONS = (("save", "Save the card"), ("refuse", "The bank refuses"), ("leave", "Go back without saving"))
BANK_BUTTONS = (("pay", "Approve"), ("refuse", "Refuse"))
TIMES = ("created_at.gte", "created_at.gt", "created_at.lte", "created_at.lt")
# The filters of each list, besides those that both have.
LISTS = {"payments": ("payment_method",), "refunds": ("payment_id",)}


class FakeYooKassa(Fake):
    """YooKassa for one shop. Tests play the customer, the bank and time through `shop`."""

    def __init__(
        self,
        *,
        shop_id: str = SHOP_ID,
        secret_key: str = SECRET_KEY,
        currencies: tuple[str, ...] = ("RUB",),
        port: int = 0,
        webhook_url: str = "",
    ) -> None:
        super().__init__(port=port, webhook_url=webhook_url)
        self.shop = Shop(shop_id, currencies, now=self.now, notify=self._notify)
        self.secret_key = secret_key
        # How often each notification is sent.
        self.copies = 1
        self.commands |= {
            "pay": self.pay, "decline": self.decline, "expire": self.expire, "end_refund": self.end_refund,
            "refund_by_hand": self.refund_by_hand, "end_charges": self.end_charges,
            "save_method": self.save_method, "refuse_method": self.refuse_method,
        }  # fmt: skip

    # --- For tests and the control call ---

    def pay(self, payment_id: str, **how: Any) -> None:
        with self.lock:
            self.shop.pay(payment_id, **how)

    def decline(self, payment_id: str, **how: Any) -> None:
        with self.lock:
            self.shop.decline(payment_id, **how)

    def expire(self, payment_id: str) -> None:
        with self.lock:
            self.shop.expire(payment_id)

    def end_refund(self, refund_id: str, **how: Any) -> None:
        with self.lock:
            self.shop.end_refund(refund_id, **how)

    def refund_by_hand(self, payment_id: str, *, value: str = "") -> str:
        """Refund a payment in the console, by default all of it, and return the refund's id."""
        with self.lock:
            payment = self.shop.payments[payment_id]
            amount = payment["amount"] | ({"value": value} if value else {})
            return str(self.shop.create_refund({"payment_id": payment_id, "amount": amount}, payment)["id"])

    def end_charges(self, method: str, answer: str = "") -> None:
        with self.lock:
            self.shop.end_charges(method, answer)

    def save_method(self, method_id: str) -> None:
        with self.lock:
            self.shop.save_method(method_id)

    def refuse_method(self, method_id: str) -> None:
        with self.lock:
            self.shop.refuse_method(method_id)

    # --- For the harness ---

    def answer(self, request: Request) -> Answer:
        self.shop.expire_old()
        kind, _, rest = request.path.removeprefix("/").partition("/")
        if kind == "page":
            return self._page(request, *rest.split("/"))
        if kind != "v3":
            raise Refused(_error(404, "not_found", "An unknown path"))
        self._check_credentials(request)
        name, _, rest = rest.partition("/")
        try:
            if request.method == "GET":
                return as_json(self._shown(self._find(name, rest))) if rest else self._list(name, request)
            return as_json(self._shown(self._post(name, *rest.partition("/")[::2], request)))
        except fields.Invalid as error:
            raise Refused(_error(400, "invalid_request", error.description, error.parameter)) from error
        except Forbidden as error:
            raise Refused(_error(403, "forbidden", str(error))) from error

    def problem(self, status: int) -> Answer:
        codes = {429: "too_many_requests", 404: "not_found", 500: "internal_server_error"}
        return _error(status, codes.get(status, "invalid_request"), "As asked for by the test")

    def sign(self, body: bytes) -> dict[str, str]:
        """Return nothing: YooKassa does not sign."""
        return {}

    def key_of(self, request: Request) -> str:
        return request.headers.get("idempotence-key", "") if request.method == "POST" else ""

    def mismatch(self) -> Answer:
        return _error(400, "invalid_request", "Idempotence key duplicated", "Idempotence-Key")

    def in_use(self) -> Answer:
        return as_json({"type": "processing", "description": "Try again", "retry_after": 1800}, status=202)

    # --- Its requests ---

    def _post(self, name: str, thing_id: str, action: str, request: Request) -> Thing:
        """Do a request that changes something and return the object."""
        if not 0 < len(self.key_of(request)) <= 64:
            raise fields.Invalid("Idempotence-Key", "A key of 1 to 64 characters is expected")
        body = _body(request)
        match name, action, bool(thing_id):
            case "payments", "", False:
                fields.PAYMENT(body, "")
                return self.shop.create_payment(body)
            case "payment_methods", "", False:
                fields.METHOD(body, "")
                return self.shop.create_method(body)
            case "payments", "capture", True:
                fields.CAPTURE(body, "")
                return self.shop.capture(body, self._find("payments", thing_id))
            case "payments", "cancel", True:
                fields.NOTHING(body, "")
                return self.shop.cancel(self._find("payments", thing_id))
            case "refunds", "", False:
                fields.REFUND(body, "")
                return self.shop.create_refund(body, self._find("payments", body["payment_id"]))
        raise Refused(_error(404, "not_found", "An unknown path"))

    def _list(self, name: str, request: Request) -> Answer:
        query = dict(request.query)
        if name not in LISTS:
            raise Refused(_error(404, "not_found", "An unknown path"))
        for parameter in query:
            if parameter not in (*LISTS[name], *TIMES, "limit", "cursor", "status"):
                raise fields.Invalid(parameter, "An unknown parameter")
        limit = query.get("limit", "10")
        if not limit.isdecimal() or not 1 <= int(limit) <= 100:
            raise fields.Invalid("limit", "From 1 to 100")
        things = self.shop.payments if name == "payments" else self.shop.refunds
        # The newest first; those of the same moment in the order in which they were made.
        found = sorted((each for each in things.values() if _matches(each, query)), key=lambda each: -each["_at"])
        start = next((n for n, each in enumerate(found) if each["id"] == query.get("cursor")), 0)
        chosen, rest = found[start : start + int(limit)], found[start + int(limit) :]
        more = {"next_cursor": rest[0]["id"]} if rest else {}
        return as_json({"type": "list", "items": [self._shown(each) for each in chosen], **more})

    # --- Its page ---

    def _page(self, request: Request, payment_id: str, action: str = "") -> Answer:
        if payment_id in self.shop.methods and payment_id not in self.shop.payments:
            return self._method_page(request, payment_id, action)
        payment = self._find("payments", payment_id)
        amount = " ".join(payment["amount"].values())
        if payment["status"] != "pending":
            return page("This payment has ended", [payment["status"], amount], [])
        if request.method != "POST" or action == "3ds":
            title, buttons = ("Your bank", BANK_BUTTONS) if action else ("YooKassa", BUTTONS)
            paths = [(f"/page/{payment_id}/{name}", label) for name, label in buttons]
            return page(f"{title} (fake): {amount}", [payment.get("description", "")], paths)
        return_url = payment["confirmation"]["return_url"]
        match action:
            case "pay":
                self.pay(payment_id)
            case "sbp":
                self.pay(payment_id, kind="sbp")
            case "decline":
                self.decline(payment_id)
            case "refuse":
                self.decline(payment_id, reason="3d_secure_failed")
            case "expire":
                self.expire(payment_id)
        return redirect(return_url)

    def _method_page(self, request: Request, method_id: str, action: str) -> Answer:
        """The page that saves a card without a payment."""
        method = self.shop.methods[method_id]
        if method["status"] != "pending":
            return page("This page has ended", [method["status"]], [])
        if request.method != "POST":
            paths = [(f"/page/{method_id}/{name}", label) for name, label in METHOD_BUTTONS]
            return page("YooKassa (fake): save a card", ["No money is taken."], paths)
        return_url = method["confirmation"]["return_url"]
        match action:
            case "save":
                self.save_method(method_id)
            case "refuse":
                self.refuse_method(method_id)
        return redirect(return_url)

    # --- Parts ---

    def _notify(self, event: str, thing: Thing) -> None:
        body = {"type": "notification", "event": event, "object": self._shown(thing)}
        self.webhooks.send(json.dumps(body).encode(), copies=self.copies)

    def _find(self, name: str, thing_id: str) -> Thing:
        known = {"payments": self.shop.payments, "refunds": self.shop.refunds, "payment_methods": self.shop.methods}
        thing = known.get(name, {}).get(thing_id)
        if thing is None:
            raise Refused(_error(404, "not_found", "It doesn't exist or access denied", f"{name[:-1]}_id"))
        return thing

    def _shown(self, thing: Thing) -> Thing:
        """Return the object as the API shows it, without the shop's notes and with the address of its page."""
        shown = {name: value for name, value in thing.items() if not name.startswith("_")}
        if "confirmation" in shown:
            shown["confirmation"] = shown["confirmation"] | {"confirmation_url": f"{self.url}/page/{thing['id']}"}
        return shown

    def _check_credentials(self, request: Request) -> None:
        login = base64.b64encode(f"{self.shop.shop_id}:{self.secret_key}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {login}":
            raise Refused(_error(401, "invalid_credentials", "Error in shopId or secret key", "Authorization"))


def _body(request: Request) -> Thing:
    try:
        body = json.loads(request.body or b"{}")
    except ValueError:
        body = None
    if request.headers.get("content-type") != "application/json" or not isinstance(body, dict):
        raise fields.Invalid("body", "The body is no JSON object")
    return body


def _matches(thing: Thing, query: dict[str, str]) -> bool:
    """Tell whether a payment or refund passes the filters of a list."""
    at = datetime.fromisoformat(thing["created_at"])
    limits = {name: datetime.fromisoformat(query[name]) for name in TIMES if name in query}
    return (
        query.get("status") in (None, thing["status"])
        and query.get("payment_id") in (None, thing.get("payment_id"))
        and limits.get("created_at.gte", at) <= at <= limits.get("created_at.lte", at)
        and ("created_at.gt" not in limits or at > limits["created_at.gt"])
        and ("created_at.lt" not in limits or at < limits["created_at.lt"])
    )


def _error(status: int, code: str, description: str, parameter: str = "") -> Answer:
    content = {"type": "error", "id": str(uuid.uuid4()), "code": code, "description": description}
    return as_json(content | ({"parameter": parameter} if parameter else {}), status=status)
