"""The seller's account at the fake Stripe: its objects, its money, and what customers, banks and the seller do to it.

No HTTP. Every change of an object is told to `emit` as an event. Amounts are in Stripe's units.
"""

import re
from collections.abc import Callable

from billing_site.local.fakes.stripe import objects
from billing_site.local.fakes.stripe.objects import Thing

MINUTE, DAY = 60, 24 * 3600


class Impossible(ValueError):
    """The account refuses. `code` is Stripe's."""

    def __init__(self, message: str, *, code: str = "", param: str = "") -> None:
        super().__init__(message)
        self.code, self.param = code, param


def check_page(params: Thing, *, now: float) -> None:
    """Refuse what Stripe refuses of any page: its end, and an email address that is none. `now` is in seconds."""
    left = params.get("expires_at", now + DAY) - now
    if not 30 * MINUTE <= left <= DAY + 1:
        raise Impossible("The `expires_at` timestamp must be between 30 minutes and 24 hours.", param="expires_at")
    check_email(params, "customer_email")


def check_email(params: Thing, param: str) -> None:
    """Refuse an email address that is none."""
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[a-z]{2,}", params.get(param, "a@shop.example")):
        raise Impossible("Invalid email address.", code="email_invalid", param=param)


class Account:
    """All objects by id, oldest first. `now` returns the time in seconds; `emit` gets a type and the object."""

    def __init__(self, *, now: Callable[[], float], emit: Callable[[str, Thing], None]) -> None:
        self.objects: dict[str, Thing] = {}
        # With which status new refunds begin: pending or succeeded.
        self.refund_status = "succeeded"
        self.now, self.emit = now, emit
        self._intent_data: dict[str, Thing] = {}

    # --- Looking ---

    def all(self, kind: str) -> list[Thing]:
        """Return the objects of a kind such as refund, oldest first."""
        return [each for each in self.objects.values() if each["object"] == kind]

    def get(self, name: str, kind: str) -> Thing:
        """Return an object. Raises LookupError."""
        found = self.objects.get(name)
        if found is None or found["object"] != kind:
            raise LookupError(f"No such {kind}: {name}")
        return found

    def money(self) -> dict[str, dict[str, int]]:
        """Return the account's money by currency: sums by type of entry, the fees and the balance."""
        sums: dict[str, dict[str, int]] = {}
        for entry in self.all("balance_transaction"):
            of = sums.setdefault(entry["currency"], {"fees": 0, "balance": 0})
            of[entry["type"]] = of.get(entry["type"], 0) + entry["amount"]
            of["fees"] += entry["fee"]
            of["balance"] += entry["net"]
        return sums

    # --- Customers ---

    def add_endpoint(self, url: str) -> Thing:
        """Set up a webhook endpoint, as the seller does in the dashboard."""
        return self._keep(objects.endpoint(url, created=self._second()))

    def add_customer(self, params: Thing) -> Thing:
        """Make a customer."""
        email, metadata = params.get("email"), params.get("metadata")
        return self._keep(objects.customer(email=email, created=self._second(), metadata=metadata))

    # --- The page ---

    def open_session(self, params: Thing, *, page: str) -> Thing:
        """Open a Checkout Session."""
        owner = self.objects.get(params["customer"]) if "customer" in params else {}
        if owner is None or owner.get("object", "customer") != "customer":
            raise Impossible(f"No such customer: '{params['customer']}'", code="resource_missing", param="customer")
        if owner and ("customer_email" in params or "customer_creation" in params):
            raise Impossible("You may only specify one of these parameters: customer, customer_email.")
        session = self._keep(objects.session(params, created=self._second(), page=page))
        self._intent_data[session["id"]] = params.get("payment_intent_data", {})
        return session

    def expire_session(self, session: Thing) -> None:
        """Close an open page, so that nobody can pay on it."""
        session.update(status="expired", url=None)
        if name := session["payment_intent"] or session["setup_intent"]:
            intent = self.objects[name]
            intent.update(status="canceled", canceled_at=self._second(), cancellation_reason="abandoned")
        self.emit("checkout.session.expired", session)

    def expire_due(self) -> None:
        """Close the pages whose time is over."""
        for session in self.all("checkout.session"):
            if session["status"] == "open" and session["expires_at"] <= self.now():
                self.expire_session(session)

    def pay(self, session: str, *, amount: int | None = None) -> None:
        """Pay on a page; another amount than it asks for, if one is given."""
        paid = self._open(session)
        self._succeed(paid, self._intent_of(paid), amount)
        paid.update(status="complete", payment_status="paid", url=None)
        self.emit("checkout.session.completed", paid)

    def pay_later(self, session: str) -> None:
        """Pay by a method that takes days, such as a bank debit. `settle` ends it."""
        paid = self._open(session)
        self._intent_of(paid).update(status="processing")
        paid.update(status="complete", url=None)
        self.emit("checkout.session.completed", paid)

    def settle(self, session: str, *, succeeds: bool = True) -> None:
        """End a payment of `pay_later`."""
        paid = self.get(session, "checkout.session")
        intent = self.objects[paid["payment_intent"]]
        if intent["status"] != "processing":
            raise Impossible(f"{session} is not being processed.")
        if succeeds:
            self._succeed(paid, intent, None)
            paid.update(payment_status="paid")
            self.emit("checkout.session.async_payment_succeeded", paid)
        else:
            self.fail(intent, "payment_method_provider_decline", "generic_decline")
            self.emit("checkout.session.async_payment_failed", paid)

    def decline(self, session: str, *, code: str = "insufficient_funds") -> None:
        """Have the customer's card declined. The page stays open for another card."""
        self.fail(self._intent_of(self._open(session)), "card_declined", code)

    def ask_bank(self, session: str) -> None:
        """Have the bank ask the customer to confirm (3-D Secure). `pay` and `decline` go on from there."""
        self._intent_of(self._open(session)).update(status="requires_action", next_action={"type": "use_stripe_sdk"})

    # --- Afterwards ---

    def refund(self, params: Thing) -> Thing:
        """Refund a charge or a part of it."""
        charge = self._charge_of(params)
        open_amount = charge["amount"] - charge["amount_refunded"]
        amount = params.get("amount", open_amount)
        if charge["disputed"] and not all(each["is_charge_refundable"] for each in self._disputes_of(charge)):
            raise Impossible(f"Charge {charge['id']} has been charged back.", code="charge_disputed")
        if not open_amount:
            raise Impossible(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
        if not 0 < amount <= open_amount:
            raise Impossible(f"Refund amount ({amount}) is greater than {open_amount}.", param="amount")
        refund = self._keep(
            objects.refund(
                charge, amount=amount, metadata=params.get("metadata", {}), status=self.refund_status,
                created=self._second(),
            )
        )  # fmt: skip
        refund["balance_transaction"] = self._book(refund["id"], "refund", -amount, charge["currency"])
        self._count_refunds(charge)
        self.emit("refund.created", refund)
        self.emit("charge.refunded", charge)
        return refund

    def refund_by_hand(self, payment: str, *, amount: int | None = None) -> str:
        """Refund a payment (a session or an intent) in the dashboard, and return the refund's id."""
        params = {"payment_intent": self._intent_id(payment)} | ({} if amount is None else {"amount": amount})
        return str(self.refund(params)["id"])

    def finish_refund(self, refund: str, *, status: str = "succeeded", reason: str = "lost_or_stolen_card") -> None:
        """End a refund: succeeded, failed or canceled. The money of one that failed is back."""
        ended = self.get(refund, "refund")
        is_undone = status in ("failed", "canceled") and ended["status"] not in ("failed", "canceled")
        ended["status"] = status
        if is_undone:
            ended["failure_reason"] = reason
            ended["failure_balance_transaction"] = self._book(refund, "refund", ended["amount"], ended["currency"])
            self._count_refunds(self.objects[ended["charge"]])
        self.emit("refund.failed" if status == "failed" else "refund.updated", ended)

    def open_dispute(
        self, payment: str, *, amount: int | None = None, status: str = "needs_response", reason: str = "fraudulent"
    ) -> str:
        """Dispute a paid payment (a session or an intent) and return the dispute's id. A warning takes no money."""
        charge = self._charge_of({"payment_intent": self._intent_id(payment)})
        dispute = self._keep(
            objects.dispute(
                charge, amount=amount or charge["amount"], status=status, reason=reason, created=self._second()
            )
        )
        self.emit("charge.dispute.created", dispute)
        if not status.startswith("warning_"):
            self._withdraw(dispute)
        return str(dispute["id"])

    def escalate_dispute(self, dispute: str) -> None:
        """Make a dispute of a warning: the money is taken now."""
        self.get(dispute, "dispute").update(status="needs_response", is_charge_refundable=False)
        self._withdraw(self.objects[dispute])
        self.emit("charge.dispute.updated", self.objects[dispute])

    def close_dispute(self, dispute: str, *, status: str, returns_fee: bool = False) -> None:
        """Decide a dispute: won, lost or warning_closed. A dispute that is won brings the money back.

        Whether it brings the fee back too depends on the seller's country.
        """
        closed = self.get(dispute, "dispute")
        closed["status"] = status
        if status == "won":
            taken = sum(entry["fee"] for entry in closed["balance_transactions"])
            self._enter(closed, closed["amount"], fee=-taken if returns_fee else 0)
            self.emit("charge.dispute.funds_reinstated", closed)
        self.emit("charge.dispute.closed", closed)

    def pay_out(self, currency: str) -> str:
        """Send the whole balance to the seller's bank and return the payout's id."""
        amount = self.money()[currency]["balance"]
        payout = self._keep(objects.payout(amount=amount, currency=currency, created=self._second()))
        payout["balance_transaction"] = self._book(payout["id"], "payout", -amount, currency)
        self.emit("payout.paid", payout)
        return str(payout["id"])

    def fail_payout(self, payout: str) -> None:
        """Have the bank send a payout back."""
        failed = self.get(payout, "payout")
        failed.update(status="failed", failure_code="account_closed")
        failed["failure_balance_transaction"] = self._book(payout, "payout", failed["amount"], failed["currency"])
        self.emit("payout.failed", failed)

    def detach(self, method: str) -> None:
        """Forget a payment method: it belongs to no customer any more."""
        self.get(method, "payment_method")["customer"] = None
        self.emit("payment_method.detached", self.objects[method])

    def forget_customer(self, customer: str) -> None:
        """Delete a customer in the dashboard. Its payment methods belong to nobody then."""
        for method in self.all("payment_method"):
            if method["customer"] == customer:
                self.detach(method["id"])
        del self.objects[customer]

    def charge_elsewhere(self, *, amount: int, currency: str) -> str:
        """Take a payment without any page, as in Stripe's dashboard, and return the payment intent's id."""
        intent = self._keep(objects.intent(amount=amount, currency=currency, created=self._second(), data={}))
        self.take(intent)
        return str(intent["id"])

    def take(self, intent: Thing) -> None:
        """Take the money of an intent that no page made."""
        self._succeed({"customer_creation": "if_required"}, intent, None)

    def fail(self, intent: Thing, code: str, decline_code: str) -> None:
        """Decline an intent: it waits for another payment method."""
        failed = objects.charge(intent, amount=intent["amount"], created=self._second(), failure=code)
        error = {"type": "card_error", "code": code, "message": "Your card was declined."}
        error |= {"decline_code": decline_code} if decline_code else {}
        intent.update(
            status="requires_payment_method", last_payment_error=error, latest_charge=self._keep(failed)["id"],
            next_action=None,
        )  # fmt: skip
        self.emit("payment_intent.payment_failed", intent)

    # --- Steps ---

    def _open(self, session: str) -> Thing:
        self.expire_due()
        found = self.get(session, "checkout.session")
        if found["status"] != "open":
            raise Impossible(f"{session} is {found['status']}.")
        return found

    def _intent_of(self, session: Thing) -> Thing:
        """Return the session's intent. Stripe makes it when the customer presses Pay for the first time."""
        if session["payment_intent"] is None:
            intent = objects.intent(
                amount=session["amount_total"], currency=session["currency"], created=self._second(),
                data=self._intent_data[session["id"]],
            )  # fmt: skip
            session["payment_intent"] = self._keep(intent)["id"]
        return self.objects[session["payment_intent"]]

    def _succeed(self, session: Thing, intent: Thing, amount: int | None) -> None:
        amount = intent["amount"] if amount is None else amount
        if session["customer_creation"] == "always":
            customer = self._keep(objects.customer(email=session["customer_email"], created=self._second()))
            session["customer"] = customer["id"]
        intent["customer"] = intent["customer"] or session.get("customer")
        if intent["payment_method"] is None:
            owner = intent["customer"] if intent["setup_future_usage"] else None
            intent["payment_method"] = self._keep(objects.card(customer=owner, created=self._second()))["id"]
        charge = self._keep(objects.charge(intent, amount=amount, created=self._second(), failure=""))
        # Like Stripe's usual price: 2.9 % and 30.
        fee = min(amount, amount * 29 // 1000 + 30)
        charge["balance_transaction"] = self._book(charge["id"], "charge", amount, intent["currency"], fee=fee)
        intent.update(
            status="succeeded", amount_received=amount, latest_charge=charge["id"], last_payment_error=None,
            next_action=None,
        )  # fmt: skip
        self.emit("payment_intent.succeeded", intent)
        self.emit("charge.succeeded", charge)

    def _intent_id(self, payment: str) -> str:
        return str(self.objects[payment]["payment_intent"] if payment.startswith("cs_") else payment)

    def _charge_of(self, params: Thing) -> Thing:
        intent = self.objects.get(params.get("payment_intent", ""), {})
        charge = self.objects.get(params.get("charge") or intent.get("latest_charge") or "")
        if charge is None or not charge["paid"]:
            raise Impossible("This payment does not have a successful charge.", param="payment_intent")
        return charge

    def _disputes_of(self, charge: Thing) -> list[Thing]:
        return [each for each in self.all("dispute") if each["charge"] == charge["id"] and each["status"] != "won"]

    def _count_refunds(self, charge: Thing) -> None:
        of_charge = [each for each in self.all("refund") if each["charge"] == charge["id"]]
        sums = sum(each["amount"] for each in of_charge if each["status"] not in ("failed", "canceled"))
        charge.update(amount_refunded=sums, refunded=sums == charge["amount"])

    def _withdraw(self, dispute: Thing) -> None:
        self.objects[dispute["charge"]]["disputed"] = True
        self._enter(dispute, -dispute["amount"], fee=min(dispute["amount"], 1500))
        self.emit("charge.dispute.funds_withdrawn", dispute)

    def _enter(self, dispute: Thing, amount: int, *, fee: int) -> None:
        """Book money of a dispute. Disputes hold their entries whole, not by id."""
        entry = self._keep(objects.dispute_entry(dispute, amount=amount, fee=fee, created=self._second()))
        dispute["balance_transactions"].append(entry)

    def _book(self, source: str, kind: str, amount: int, currency: str, *, fee: int = 0) -> str:
        entry = objects.balance_transaction(
            source, kind=kind, amount=amount, fee=fee, currency=currency, created=self._second()
        )
        return str(self._keep(entry)["id"])

    def _keep(self, thing: Thing) -> Thing:
        self.objects[thing["id"]] = thing
        return thing

    def _second(self) -> int:
        return int(self.now())
