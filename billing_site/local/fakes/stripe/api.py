"""The HTTP side of the fake Stripe: keys, routes, lists, expanding, errors, idempotency keys and signed webhooks."""

import copy
import hashlib
import hmac
import json
import re
import time
from typing import Any
from urllib.parse import parse_qsl

from billing_site.local.fakes.harness import Fake, Refused
from billing_site.local.fakes.server import Answer, Request, as_json
from billing_site.local.fakes.stripe import KEY, WEBHOOK_SECRET, objects, page, params, setups
from billing_site.local.fakes.stripe.account import Account, Impossible, check_email, check_page
from billing_site.local.fakes.stripe.charges import Charges
from billing_site.local.fakes.stripe.objects import Thing

# The least of a charge, the most of any, and what amounts must be a multiple of.
LEAST = {"eur": 50, "usd": 50, "gbp": 30, "jpy": 50}
MOST = 99_999_999
STEPS = {"isk": 100, "bhd": 10, "jod": 10, "kwd": 10, "omr": 10, "tnd": 10}

# The kind of object behind each path.
KINDS = {
    "checkout/sessions": "checkout.session", "payment_intents": "payment_intent", "charges": "charge",
    "balance_transactions": "balance_transaction", "refunds": "refund", "disputes": "dispute",
    "payment_methods": "payment_method", "payouts": "payout", "events": "event", "customers": "customer",
    "webhook_endpoints": "webhook_endpoint",
}  # fmt: skip
# Method and path of a call, and what it is called in params.TYPES.
ROUTES = [
    ("POST", r"/v1/checkout/sessions", "checkout.sessions.create"),
    ("POST", r"/v1/checkout/sessions/(\w+)/expire", "checkout.sessions.expire"),
    ("POST", r"/v1/payment_intents", "payment_intents.create"),
    ("POST", r"/v1/payment_intents/(\w+)/confirm", "payment_intents.confirm"),
    ("POST", r"/v1/payment_intents/(\w+)/cancel", "payment_intents.cancel"),
    ("POST", r"/v1/refunds", "refunds.create"),
    ("POST", r"/v1/customers", "customers.create"),
    ("POST", r"/v1/payment_methods/(\w+)/detach", "payment_methods.detach"),
    *(("GET", rf"/v1/{path}", f"{path.replace('/', '.')}.list") for path in KINDS),
    *(("GET", rf"/v1/{path}/(\w+)", f"{path.replace('/', '.')}.retrieve") for path in KINDS),
]
# Parameters of lists that are fields of the objects.
FILTERS = ("payment_intent", "charge", "customer", "status", "source", "type")


class FakeStripe(Fake):
    """Stripe's API on 127.0.0.1, with one account, test mode only. `account` has its objects and its money."""

    def __init__(self, *, port: int = 0, webhook_url: str = "", secret: str = WEBHOOK_SECRET, key: str = KEY) -> None:
        """Take requests with `key`, and sign webhooks with `secret`."""
        super().__init__(port=port, webhook_url=webhook_url)
        self.key, self.secret = key, secret
        self.account = Account(now=self.now, emit=self._emit)
        if webhook_url:
            self.account.add_endpoint(webhook_url)
        self.charges = Charges(self.account, f"{self.url}{page.BANK}")
        self.setups = setups.Setups(self.account)
        acts = (
            "pay", "pay_later", "settle", "decline", "ask_bank", "finish_refund", "open_dispute", "escalate_dispute",
            "close_dispute", "pay_out", "fail_payout", "detach", "charge_elsewhere", "money",
            "refund_by_hand", "forget_customer",
        )  # fmt: skip
        self.commands |= {act: self._locked(self.account, act) for act in acts}
        self.commands |= {act: self._locked(self.charges, act) for act in ("end_charges", "approve", "refuse")}
        self.commands |= {act: self._locked(self.setups, act) for act in ("save", "refuse_card")}
        self.commands |= {"refunds_begin": self.refunds_begin, "send_again": self.send_again}

    def refunds_begin(self, *, status: str) -> None:
        """Let new refunds begin with this status: pending or succeeded."""
        self.account.refund_status = status

    def send_again(self, *, copies: int = 1) -> None:
        """Send the webhook of every event again, so many times."""
        for event in self.account.all("event"):
            self.webhooks.send(json.dumps(event).encode(), copies=copies)

    # --- What the harness asks for ---

    def answer(self, request: Request) -> Answer:
        self.account.expire_due()
        if request.path.startswith(page.PATH):
            return page.answer(self.account, request)
        if request.path.startswith(page.BANK):
            return page.bank(self.charges, request)
        if request.path.startswith(page.SETUP):
            return page.setup(self.setups, request)
        if request.headers.get("authorization") != f"Bearer {self.key}":
            raise Refused(error(401, "invalid_request_error", "Invalid API Key provided."))
        if request.headers.get("stripe-version") != objects.API_VERSION:
            raise Refused(error(400, "invalid_request_error", f"Send Stripe-Version: {objects.API_VERSION}"))
        call, name = call_of(request.method, request.path)
        if not call:
            url = f"({request.method}: {request.path})"
            raise Refused(error(404, "invalid_request_error", f"Unrecognized request URL {url}"))
        return self._call(call, name, request)

    def problem(self, status: int) -> Answer:
        if status == 429:
            return error(429, "invalid_request_error", "Too many requests.", code="rate_limit")
        return error(status, "api_error", "An unknown error occurred.")

    def sign(self, body: bytes) -> dict[str, str]:
        return {"Stripe-Signature": signature(body, self.secret, at=int(time.time()))}

    def key_of(self, request: Request) -> str:
        return request.headers.get("idempotency-key", "") if request.method == "POST" else ""

    def mismatch(self) -> Answer:
        return error(
            400, "idempotency_error", "Keys can only be used with the same parameters they were first used with."
        )

    def in_use(self) -> Answer:
        message = "There is currently another in-progress request using this key."
        return error(409, "idempotency_error", message, code="idempotency_key_in_use")

    def replayed(self, answer: Answer) -> Answer:
        headers = {**answer.headers, "Idempotent-Replayed": "true"}
        return Answer(status=answer.status, body=answer.body, content_type=answer.content_type, headers=headers)

    # --- Calls ---

    def _call(self, call: str, name: str, request: Request) -> Answer:
        """Do a call. Errors of the account and of the parameters become Stripe's."""
        kind = "invalid_request_error"
        pairs = request.query if request.method == "GET" else parse_qsl(request.body.decode(), keep_blank_values=True)
        try:
            return self._do(call, name, params.check(call, params.decode(pairs)))
        except params.BadParameter as bad:
            raise Refused(error(400, kind, str(bad), code=bad.code, param=bad.param)) from bad
        except Impossible as refusal:
            raise Refused(error(400, kind, str(refusal), code=refusal.code, param=refusal.param)) from refusal
        except LookupError as missing:
            raise Refused(error(404, kind, missing.args[0], code="resource_missing", param="id")) from missing

    def _do(self, call: str, name: str, checked: Thing) -> Answer:
        match call:
            case "checkout.sessions.create":
                return self._show(self._opened(checked), checked)
            case "checkout.sessions.expire":
                return self._show(self._expired(name), checked)
            case "payment_intents.create":
                return self._charged(self.charges.create(checked), checked)
            case "payment_intents.confirm":
                return self._charged(self.charges.confirm(self.account.get(name, "payment_intent"), checked), checked)
            case "payment_intents.cancel":
                return self._show(self.charges.cancel(self.account.get(name, "payment_intent")), checked)
            case "refunds.create":
                if "payment_intent" in checked:
                    self.account.get(checked["payment_intent"], "payment_intent")
                return self._show(self.account.refund(checked), checked)
            case "customers.create":
                check_email(checked, "email")
                return self._show(self.account.add_customer(checked), checked)
            case "payment_methods.detach":
                return self._show(self._detached(name), checked)
        return self._read(call, name, checked)

    def _read(self, call: str, name: str, checked: Thing) -> Answer:
        """Return an object or a list of them."""
        path, _, action = call.rpartition(".")
        path = path.replace(".", "/")
        return (
            self._list(path, checked) if action == "list" else self._show(self.account.get(name, KINDS[path]), checked)
        )

    def _opened(self, checked: Thing) -> Thing:
        if checked.get("mode") == "setup":
            return self.setups.open(checked, page=f"{self.url}{page.SETUP}")
        self._check_session(checked)
        return self.account.open_session(checked, page=f"{self.url}{page.PATH}")

    def _expired(self, name: str) -> Thing:
        session = self.account.get(name, "checkout.session")
        if session["status"] != "open":
            raise Impossible('Only Checkout Sessions with a status in ["open"] can be expired.')
        self.account.expire_session(session)
        return session

    def _detached(self, name: str) -> Thing:
        method = self.account.get(name, "payment_method")
        if not method["customer"]:
            raise Impossible("The payment method you provided is not attached to a customer.")
        self.account.detach(name)
        return method

    def _charged(self, intent: Thing, checked: Thing) -> Answer:
        """Return an intent that was confirmed; a decline is an error that carries it, and the key remembers that."""
        if intent["last_payment_error"] is None:
            return self._show(intent, checked)
        content = {**intent["last_payment_error"], "payment_intent": copy.deepcopy(intent)}
        return as_json({"error": content}, status=402, headers={"Request-Id": objects.new_id("req")})

    def _check_session(self, checked: Thing) -> None:
        """Refuse what Stripe refuses beyond the types of parameters."""
        for name in ("mode", "line_items", "success_url"):
            if not checked.get(name):
                raise Impossible(f"You must provide `{name}`.", code="parameter_missing", param=name)
        check_page(checked, now=self.now())
        for item in checked["line_items"]:
            price = item["price_data"]
            if price["unit_amount"] < LEAST.get(price["currency"], 1):
                raise Impossible("Amount must convert to at least 50 cents.", code="amount_too_small")
            if price["unit_amount"] > MOST:
                raise Impossible("Amount must be no more than 8 digits.", code="amount_too_large")
            if price["unit_amount"] % STEPS.get(price["currency"], 1):
                raise Impossible("Invalid amount for this currency.", param="unit_amount")

    def _show(self, thing: Thing, checked: Thing) -> Answer:
        shown = copy.deepcopy(thing)
        for path in checked.get("expand", []):
            self._expand(shown, path.split("."))
        return as_json(shown, headers={"Request-Id": objects.new_id("req")})

    def _list(self, path: str, checked: Thing) -> Answer:
        """Return a page of a list, newest first."""
        found = [each for each in reversed(self.account.all(KINDS[path])) if _fits(each, checked)]
        ids, limit = [each["id"] for each in found], checked.get("limit", 10)
        begin = ids.index(checked["starting_after"]) + 1 if "starting_after" in checked else 0
        shown = {
            "object": "list",
            "data": found[begin : begin + limit],
            "has_more": len(found) > begin + limit,
            "url": f"/v1/{path}",
        }
        return self._show(shown, checked)

    def _expand(self, holder: Any, steps: list[str]) -> None:
        """Replace ids by objects along a path, at most four deep as at Stripe."""
        if len(steps) > 4:
            raise Impossible("You cannot expand more than 4 levels of a property.", param="expand")
        for each in holder if isinstance(holder, list) else [holder]:
            value = each.get(steps[0])
            if isinstance(value, str) and value in self.account.objects:
                each[steps[0]] = value = copy.deepcopy(self.account.objects[value])
            if len(steps) > 1 and value:
                self._expand(value, steps[1:])

    def _emit(self, kind: str, about: Thing) -> None:
        event = objects.event(kind, copy.deepcopy(about), created=int(self.now()))
        self.account.objects[event["id"]] = event
        self.webhooks.send(json.dumps(event).encode())

    def _locked(self, actor: Account | Charges | setups.Setups, act: str) -> Any:
        """Return a command that does one of the acts of the account, its charges or its setups."""

        def command(**arguments: Any) -> Any:
            with self.lock:
                return getattr(actor, act)(**arguments)

        return command


def error(status: int, kind: str, message: str, *, code: str = "", param: str = "") -> Answer:
    """Return an error in Stripe's form."""
    content = (
        {"type": kind, "message": message} | ({"code": code} if code else {}) | ({"param": param} if param else {})
    )
    return as_json({"error": content}, status=status, headers={"Request-Id": objects.new_id("req")})


def call_of(method: str, path: str) -> tuple[str, str]:
    """Return what a request calls, such as `refunds.retrieve`, and the id that it names; blanks for nothing known."""
    for known, pattern, call in ROUTES:
        if method == known and (found := re.fullmatch(pattern, path)):
            return call, "".join(found.groups())
    return "", ""


def signature(body: bytes, secret: str, *, at: int) -> str:
    """Return the header Stripe-Signature of a body, signed at a time in seconds. Source: docs.stripe.com/webhooks."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def _fits(thing: Thing, checked: Thing) -> bool:
    """Return whether an object is in a list with these filters."""
    if any(name in checked and thing.get(name) != checked[name] for name in FILTERS):
        return False
    for field in ("created", "arrival_date"):
        span = checked.get(field, {})
        bounds = span if isinstance(span, dict) else {"gte": span, "lte": span}
        for name, bound in bounds.items():
            at = thing[field]
            if not {"gt": at > bound, "gte": at >= bound, "lt": at < bound, "lte": at <= bound}[name]:
                return False
    return True
