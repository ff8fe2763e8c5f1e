"""Cards that are saved at the fake Stripe without a payment: Checkout Sessions of mode `setup`. No HTTP.

Unlike a payment's session, such a session has its setup intent from the start, and its `payment_status` says that
nothing is to be paid.
"""

from billing_site.local.fakes.stripe import objects
from billing_site.local.fakes.stripe.account import Account, Impossible, check_page
from billing_site.local.fakes.stripe.objects import Thing

PAYMENT_ONLY = ("line_items", "payment_intent_data", "adaptive_pricing", "submit_type")


class Setups:
    """The sessions of an account that save cards."""

    def __init__(self, account: Account) -> None:
        self.account = account

    def open(self, params: Thing, *, page: str) -> Thing:
        """Open a session of mode `setup`, and return it."""
        for name in ("currency", "success_url"):
            if not params.get(name):
                raise Impossible(f"You must provide `{name}` in `setup` mode.", code="parameter_missing", param=name)
        for name in PAYMENT_ONLY:
            if name in params:
                raise Impossible(f"You can not pass `{name}` in `setup` mode.", param=name)
        check_page(params, now=self.account.now())
        created = int(self.account.now())
        session = self.account.open_session(
            params | {"line_items": [{"price_data": {"currency": params["currency"], "unit_amount": 0}}]}, page=page
        )
        intent = setup_intent(params, created=created)
        self.account.objects[intent["id"]] = intent
        session.update(
            amount_subtotal=None, amount_total=None, setup_intent=intent["id"], payment_status="no_payment_required"
        )
        return session

    def save(self, session: str) -> str:
        """Let the customer save a card on a page, and return the card's id."""
        opened, intent = self._open(session)
        created = int(self.account.now())
        if opened["customer_creation"] == "always":
            customer = objects.customer(email=opened["customer_email"], created=created)
            self.account.objects[customer["id"]] = customer
            opened["customer"] = customer["id"]
        card = objects.card(customer=opened["customer"], created=created)
        self.account.objects[card["id"]] = card
        intent.update(status="succeeded", payment_method=card["id"], customer=opened["customer"], last_setup_error=None)
        opened.update(status="complete", url=None)
        if opened["customer"]:
            self.account.emit("payment_method.attached", card)
        self.account.emit("setup_intent.succeeded", intent)
        self.account.emit("checkout.session.completed", opened)
        return str(card["id"])

    def refuse_card(self, session: str) -> None:
        """Let the bank refuse the card. The page stays open for another one."""
        _, intent = self._open(session)
        error = {"type": "card_error", "code": "card_declined", "decline_code": "generic_decline"}
        intent.update(last_setup_error=error | {"message": "Your card was declined."})
        self.account.emit("setup_intent.setup_failed", intent)

    def _open(self, name: str) -> tuple[Thing, Thing]:
        self.account.expire_due()
        session = self.account.get(name, "checkout.session")
        if session["mode"] != "setup" or session["status"] != "open":
            raise Impossible(f"{name} is {session['status']}.")
        return session, self.account.objects[session["setup_intent"]]


def setup_intent(params: Thing, *, created: int) -> Thing:
    """Return a setup intent that waits for a payment method."""
    return {
        "id": objects.new_id("seti"),
        "object": "setup_intent",
        "application": None,
        "automatic_payment_methods": {"enabled": True},
        "cancellation_reason": None,
        "client_secret": None,
        "created": created,
        "customer": params.get("customer"),
        "description": params.get("setup_intent_data", {}).get("description"),
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "mandate": None,
        "metadata": params.get("setup_intent_data", {}).get("metadata", {}),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "single_use_mandate": None,
        "status": "requires_payment_method",
        "usage": "off_session",
    }
