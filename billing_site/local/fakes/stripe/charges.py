"""Charges of saved cards at the fake Stripe: payment intents that are confirmed while the customer is away.

How a card's bank answers is set for the card beforehand. No HTTP.
"""

from billing_site.local.fakes.stripe import objects
from billing_site.local.fakes.stripe.account import Account, Impossible
from billing_site.local.fakes.stripe.objects import Thing

# The answer of a bank that wants the customer to confirm. Any other word is a code with which it declines.
ASKS = "authentication_required"


class Charges:
    """The charges of an account. `page` is the start of the addresses of the bank's page."""

    def __init__(self, account: Account, page: str) -> None:
        self.account, self.page = account, page
        # How the bank of a card answers, by id: "" takes the money.
        self.answers: dict[str, str] = {}

    def end_charges(self, *, method: str, answer: str = "") -> None:
        """Let the bank of a card answer the next charges with a code; "" lets them succeed."""
        self.answers[method] = answer

    def create(self, params: Thing) -> Thing:
        """Create and confirm an intent and return it: succeeded or declined."""
        method = self.account.objects.get(params.get("payment_method", ""))
        if method is None or method["object"] != "payment_method":
            raise Impossible(
                f"No such PaymentMethod: '{params.get('payment_method')}'", code="resource_missing",
                param="payment_method",
            )  # fmt: skip
        if not params.get("confirm") or not params.get("off_session"):
            raise Impossible("This fake confirms at once, off session.", param="confirm")
        if not method["customer"] or method["customer"] != params.get("customer"):
            raise Impossible("The customer does not have this payment method.", param="payment_method")
        intent = objects.intent(
            amount=params["amount"], currency=params["currency"], created=int(self.account.now()), data=params
        )
        intent |= {"customer": params["customer"], "payment_method": method["id"]}
        self.account.objects[intent["id"]] = intent
        self._attempt(intent)
        return intent

    def confirm(self, intent: Thing, params: Thing) -> Thing:
        """Confirm a declined intent with the customer at hand: the bank's page, if it asks for one."""
        if intent["status"] != "requires_payment_method":
            raise Impossible(f"This PaymentIntent has a status of {intent['status']}.")
        intent["payment_method"] = params["payment_method"]
        if self.answers.get(intent["payment_method"]) != ASKS:
            self._attempt(intent)
            return intent
        redirect = {"url": f"{self.page}{intent['id']}", "return_url": params.get("return_url")}
        intent.update(
            status="requires_action", last_payment_error=None,
            next_action={"type": "redirect_to_url", "redirect_to_url": redirect},
        )  # fmt: skip
        return intent

    def cancel(self, intent: Thing) -> Thing:
        """Cancel an intent that has not taken the money."""
        if intent["status"] in ("succeeded", "canceled", "processing"):
            raise Impossible(f"You cannot cancel this PaymentIntent because it is {intent['status']}.")
        intent.update(status="canceled", canceled_at=int(self.account.now()), next_action=None)
        self.account.emit("payment_intent.canceled", intent)
        return intent

    def approve(self, intent: str) -> None:
        """Let the customer approve a charge on the bank's page."""
        self.account.take(self._asked(intent))

    def refuse(self, intent: str) -> None:
        """Let the customer refuse a charge on the bank's page."""
        self.account.fail(self._asked(intent), "payment_intent_authentication_failure", "")

    def _asked(self, name: str) -> Thing:
        intent = self.account.get(name, "payment_intent")
        if intent["status"] != "requires_action":
            raise Impossible(f"{name} is {intent['status']}.")
        return intent

    def _attempt(self, intent: Thing) -> None:
        code = self.answers.get(intent["payment_method"], "")
        if not code:
            self.account.take(intent)
        else:
            kind = code if code in (ASKS, "expired_card") else "card_declined"
            self.account.fail(intent, kind, code)
