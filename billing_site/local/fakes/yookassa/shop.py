"""What happens inside the fake YooKassa: payments, refunds and saved payment methods of one shop. No HTTP.

Objects are dictionaries in the shape of the API. Names that begin with an underscore are notes of our own.
"""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from billing_site.local.fakes.yookassa import fields

Thing = dict[str, Any]

PAGE_LASTS = timedelta(hours=1)
# What YooKassa keeps of a payment.
FEE = Decimal("0.035")
CARD = {
    "first6": "220000", "last4": "0004", "expiry_year": "2030", "expiry_month": "12", "card_type": "Mir",
    "issuer_country": "RU",
}  # fmt: skip


class Forbidden(Exception):
    """The shop may not do this."""


class Shop:
    """One shop. `now` tells the seconds since 1970, `notify` is called with each event and its object."""

    def __init__(
        self, shop_id: str, currencies: tuple[str, ...], *, now: Callable[[], float], notify: Callable[..., None]
    ) -> None:
        self.shop_id, self.currencies, self.now, self.notify = shop_id, currencies, now, notify
        self.payments: dict[str, Thing] = {}
        self.refunds: dict[str, Thing] = {}
        self.methods: dict[str, Thing] = {}
        # How the bank of a kept method answers the next charges, by id: a reason to cancel them, "" to take the money.
        self.answers: dict[str, str] = {}
        # Whether the shop may keep payment methods, and whether refunds wait for `end_refund`.
        self.saves_methods, self.refunds_wait = True, False

    # --- Requests; the bodies are checked. They raise fields.Invalid and Forbidden. ---

    def create_payment(self, body: Thing) -> Thing:
        self._check(body)
        method_id = body.get("payment_method_id")
        payment = {
            "id": str(uuid.uuid4()), "status": "pending", "paid": False, "refundable": False, "test": True,
            "amount": dict(body["amount"]), "created_at": written(self.now()), "metadata": body.get("metadata", {}),
            "recipient": {"account_id": self.shop_id, "gateway_id": "1000"},
            "_at": self.now(), "_capture": body.get("capture", False), "_save": body.get("save_payment_method", False),
        }  # fmt: skip
        payment |= {name: body[name] for name in ("description", "merchant_customer_id") if name in body}
        self.payments[payment["id"]] = payment
        if method_id:
            self._charge(payment, self.methods[method_id])
        else:
            payment["confirmation"] = {"type": "redirect", "return_url": body["confirmation"]["return_url"]}
        return payment

    def create_method(self, body: Thing) -> Thing:
        """Begin to save a card without a payment. It is kept once its customer has confirmed it."""
        if not self.saves_methods:
            raise Forbidden("This store can't make recurring payments")
        if "confirmation" not in body:
            raise fields.Invalid("confirmation", "A required parameter is missing")
        method = {
            "type": body["type"], "id": str(uuid.uuid4()), "saved": False, "status": "pending",
            "holder": {"account_id": self.shop_id, "gateway_id": "1000"},
            "confirmation": {"type": "redirect", "return_url": body["confirmation"]["return_url"]},
        }  # fmt: skip
        self.methods[method["id"]] = method
        return method

    def capture(self, body: Thing, payment: Thing) -> Thing:
        self._check_waiting(payment)
        payment["amount"] = body.get("amount", payment["amount"])
        self._take(payment)
        return payment

    def cancel(self, payment: Thing) -> Thing:
        self._check_waiting(payment)
        self._cancel(payment, "merchant", "canceled_by_merchant")
        return payment

    def create_refund(self, body: Thing, payment: Thing) -> Thing:
        amount = body["amount"]
        if payment["status"] != "succeeded":
            raise fields.Invalid("payment_id", "The payment is not succeeded")
        if amount["currency"] != payment["amount"]["currency"]:
            raise fields.Invalid("amount.currency", "The payment is in another currency")
        others = [each for each in self.refunds.values() if each["payment_id"] == payment["id"]]
        gone = sum(Decimal(each["amount"]["value"]) for each in others if each["status"] != "canceled")
        if gone + Decimal(amount["value"]) > Decimal(payment["amount"]["value"]):
            raise fields.Invalid("amount.value", "More than is left of the payment")
        refund = {
            "id": str(uuid.uuid4()), "status": "pending", "payment_id": payment["id"], "amount": amount,
            "created_at": written(self.now()), "_at": self.now(),
        }  # fmt: skip
        refund |= {name: body[name] for name in ("description", "metadata") if name in body}
        self.refunds[refund["id"]] = refund
        if not self.refunds_wait:
            self.end_refund(refund["id"])
        return refund

    # --- What customers, banks and time do ---

    def pay(self, payment_id: str, *, amount: str = "", kind: str = "bank_card", fee: bool = True) -> None:
        """Let the customer pay, by `bank_card` or `sbp`; another amount than asked for if one is given."""
        payment = self._pending(payment_id)
        if amount:
            payment["amount"]["value"] = amount
        saved = bool(payment["_save"])
        method = {"type": kind, "id": payment_id, "saved": saved, "title": "Test"}
        payment["payment_method"] = method | ({"card": CARD} if kind == "bank_card" else {})
        if saved:
            self.methods[payment_id] = payment["payment_method"] | {"status": "active"}
        if payment["_capture"]:
            self._take(payment, fee=fee)
        else:
            payment |= {"status": "waiting_for_capture", "paid": True}
            self.notify("payment.waiting_for_capture", payment)

    def decline(self, payment_id: str, *, reason: str = "insufficient_funds") -> None:
        self._cancel(self._pending(payment_id), "payment_network", reason)

    def save_method(self, method_id: str) -> None:
        """Let the customer confirm that a card is saved."""
        method = self._unconfirmed(method_id)
        method |= {"saved": True, "status": "active", "card": CARD, "title": f"Bank card *{CARD['last4']}"}
        self.notify("payment_method.active", method)

    def refuse_method(self, method_id: str) -> None:
        """Let the bank refuse that a card is saved, or the customer let the page end. YooKassa notifies of no such."""
        self._unconfirmed(method_id)["status"] = "inactive"

    def expire(self, payment_id: str) -> None:
        self._cancel(self._pending(payment_id), "yoo_money", "expired_on_confirmation")

    def expire_old(self) -> None:
        """Cancel the payments whose page has been open for too long."""
        for payment in list(self.payments.values()):
            if payment["status"] == "pending" and self.now() - payment["_at"] > PAGE_LASTS.total_seconds():
                self.expire(payment["id"])

    def end_refund(self, refund_id: str, *, reason: str = "") -> None:
        """Let a waiting refund succeed; with a reason, let it fail."""
        refund = self.refunds[refund_id]
        if reason:
            refund |= {"status": "canceled", "cancellation_details": {"party": "yoo_money", "reason": reason}}
        else:
            refund["status"] = "succeeded"
            self.notify("refund.succeeded", refund)

    def end_charges(self, method: str, answer: str = "") -> None:
        """Let the bank of a kept method cancel the next charges for this reason; "" lets them succeed."""
        self.answers[method] = answer

    # --- Parts ---

    def _charge(self, payment: Thing, method: Thing) -> None:
        """Charge a kept method at once, without a page."""
        own = ("status", "holder", "confirmation")
        payment["payment_method"] = {name: value for name, value in method.items() if name not in own}
        reason = self.answers.get(method["id"], "")
        if method["status"] != "active":
            reason = "permission_revoked"
        if reason:
            self._cancel(payment, "payment_network", reason)
        else:
            self._take(payment)

    def _take(self, payment: Thing, *, fee: bool = True) -> None:
        """Take the money of a payment."""
        amount, value = payment["amount"], Decimal(payment["amount"]["value"])
        payment |= {"status": "succeeded", "paid": True, "refundable": True, "captured_at": written(self.now())}
        if fee:
            kept = (value * FEE).quantize(Decimal(1).scaleb(-fields.DECIMALS[amount["currency"]]), ROUND_HALF_UP)
            payment["income_amount"] = amount | {"value": str(value - kept)}
        self._end_page(payment)
        self.notify("payment.succeeded", payment)

    def _cancel(self, payment: Thing, party: str, reason: str) -> None:
        payment |= {"status": "canceled", "cancellation_details": {"party": party, "reason": reason}}
        self._end_page(payment)
        self.notify("payment.canceled", payment)

    def _end_page(self, payment: Thing) -> None:
        """Take the page from the object, as YooKassa does, and note where the customer goes."""
        payment["_return_url"] = payment.pop("confirmation", {}).get("return_url", "")

    def _check(self, body: Thing) -> None:
        """Refuse what this shop may not do, and a receipt that does not add up."""
        if body.get("save_payment_method") and not self.saves_methods:
            raise Forbidden("This store can't make recurring payments")
        if body["amount"]["currency"] not in self.currencies:
            raise fields.Invalid("amount.currency", "The shop has another currency")
        listed = body.get("receipt", {}).get("items", [])
        if listed and sum(Decimal(each["amount"]["value"]) for each in listed) != Decimal(body["amount"]["value"]):
            raise fields.Invalid("receipt.items", "The items do not add up to the amount")
        method_id = body.get("payment_method_id")
        if method_id and method_id not in self.methods:
            raise fields.Invalid("payment_method_id", "There is no such payment method")
        if not method_id and "confirmation" not in body:
            raise fields.Invalid("confirmation", "A required parameter is missing")

    def _check_waiting(self, payment: Thing) -> None:
        if payment["status"] != "waiting_for_capture":
            raise fields.Invalid("payment_id", "The payment does not wait for capture")

    def _unconfirmed(self, method_id: str) -> Thing:
        """Return a method that waits for its customer, without its page from now on."""
        method = self.methods[method_id]
        if method["status"] != "pending":
            raise ValueError(f"{method_id} is {method['status']}")
        method["_return_url"] = method.pop("confirmation")["return_url"]
        return method

    def _pending(self, payment_id: str) -> Thing:
        payment = self.payments[payment_id]
        if payment["status"] != "pending":
            raise ValueError(f"{payment_id} is {payment['status']}")
        return payment


def written(seconds: float) -> str:
    """Return a moment as YooKassa writes it: 2017-11-03T11:52:31.827Z."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
