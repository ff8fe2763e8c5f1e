"""New objects in the shapes of the API version that our client asks for. Amounts are in Stripe's units."""

import secrets
from typing import Any

Thing = dict[str, Any]

API_VERSION = "2026-10-28.endive"


def new_id(prefix: str) -> str:
    """Return a new id, such as pi_..."""
    return f"{prefix}_{secrets.token_hex(12)}"


def session(params: Thing, *, created: int, page: str) -> Thing:
    """Return an open Checkout Session. `page` is the start of its URL."""
    prices = [(item["price_data"], item.get("quantity", 1)) for item in params["line_items"]]
    total = sum(price["unit_amount"] * quantity for price, quantity in prices)
    # Ids and addresses are as long as Stripe's own.
    name = f"cs_test_{secrets.token_hex(29)}"
    return {
        "id": name,
        "object": "checkout.session",
        "adaptive_pricing": params.get("adaptive_pricing", {"enabled": True}),
        "allow_promotion_codes": None,
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": None,
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "client_secret": None,
        "created": created,
        "currency": prices[0][0]["currency"],
        "custom_fields": [],
        "customer": params.get("customer"),
        "customer_creation": params.get("customer_creation", "if_required"),
        "customer_details": None,
        "customer_email": params.get("customer_email"),
        "discounts": [],
        "expires_at": params.get("expires_at", created + 86400),
        "invoice": None,
        "livemode": False,
        "locale": params.get("locale"),
        "metadata": params.get("metadata", {}),
        "mode": params["mode"],
        "payment_intent": None,
        "payment_link": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "recovered_from": None,
        "setup_intent": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": None,
        "subscription": None,
        "success_url": params.get("success_url"),
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{page}{name}#{secrets.token_urlsafe(315)}",
    }


def intent(*, amount: int, currency: str, created: int, data: Thing) -> Thing:
    """Return a payment intent that waits for a payment method. `data` is the session's payment_intent_data."""
    name = new_id("pi")
    return {
        "id": name,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": {"enabled": True},
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": None,
        "confirmation_method": "automatic",
        "created": created,
        "currency": currency,
        "customer": None,
        "description": data.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": data.get("metadata", {}),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": data.get("setup_future_usage"),
        "shipping": None,
        "statement_descriptor": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }


def charge(intent: Thing, *, amount: int, created: int, failure: str) -> Thing:
    """Return a charge of a payment intent: one that took the money, or one that failed with a code."""
    return {
        "id": new_id("ch"),
        "object": "charge",
        "amount": amount,
        "amount_captured": 0 if failure else amount,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "balance_transaction": None,
        "billing_details": {"address": None, "email": None, "name": None, "phone": None, "tax_id": None},
        "captured": not failure,
        "created": created,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_code": failure or None,
        "failure_message": "Your card was declined." if failure else None,
        "fraud_details": {},
        "livemode": False,
        "metadata": intent["metadata"],
        "outcome": None,
        "paid": not failure,
        "payment_intent": intent["id"],
        "payment_method": intent["payment_method"],
        "receipt_email": None,
        "refunded": False,
        "status": "failed" if failure else "succeeded",
        "transfer_data": None,
    }


def balance_transaction(source: str, *, kind: str, amount: int, fee: int, currency: str, created: int) -> Thing:
    """Return an entry of the account's balance. `kind` is charge, refund, adjustment or payout.

    A fee below zero is one that Stripe returns.
    """
    return {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": created,
        "balance_type": "payments",
        "created": created,
        "currency": currency,
        "description": None,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [{"amount": fee, "currency": currency, "type": "stripe_fee"}] if fee else [],
        "net": amount - fee,
        "reporting_category": kind,
        "source": source,
        "status": "available",
        "type": kind,
    }


def dispute_entry(dispute: Thing, *, amount: int, fee: int, created: int) -> Thing:
    """Return the entry with which a dispute takes money (below zero) or brings it back, with its fee."""
    entry = balance_transaction(
        dispute["id"], kind="adjustment", amount=amount, fee=fee, currency=dispute["currency"], created=created
    )
    word, category = ("withdrawal", "dispute") if amount < 0 else ("reversal", "dispute_reversal")
    for detail in entry["fee_details"]:
        detail |= {"application": None, "description": "Dispute fee"}
    return entry | {"description": f"Chargeback {word} for {dispute['charge']}", "reporting_category": category}


def refund(charge: Thing, *, amount: int, metadata: dict[str, str], status: str, created: int) -> Thing:
    """Return a refund of a charge."""
    return {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": created,
        "currency": charge["currency"],
        "destination_details": {"card": {"type": "refund"}, "type": "card"},
        "metadata": metadata,
        "payment_intent": charge["payment_intent"],
        "reason": None,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": status,
        "transfer_reversal": None,
    }


def dispute(charge: Thing, *, amount: int, status: str, reason: str, created: int) -> Thing:
    """Return a dispute about a charge, to be answered within a week."""
    return {
        "id": new_id("du"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": created,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {},
        "evidence_details": {
            "due_by": created + 7 * 86400, "has_evidence": False, "past_due": False, "submission_count": 0,
        },
        "is_charge_refundable": status.startswith("warning_"),
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {"card": {"brand": "visa", "case_type": "chargeback"}, "type": "card"},
        "reason": reason,
        "status": status,
    }  # fmt: skip


def customer(*, email: str | None, created: int, metadata: dict[str, str] | None = None) -> Thing:
    """Return a customer."""
    return {
        "id": new_id("cus"),
        "object": "customer",
        "created": created,
        "description": None,
        "email": email,
        "livemode": False,
        "metadata": metadata or {},
        "name": None,
        "phone": None,
    }


def card(*, customer: str | None, created: int) -> Thing:
    """Return a payment method: Stripe's test card 4242."""
    return {
        "id": new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {"address": None, "email": None, "name": None, "phone": None, "tax_id": None},
        "card": {
            "brand": "visa", "country": "US", "display_brand": "visa", "exp_month": 2, "exp_year": 2032,
            "fingerprint": "fake", "funding": "credit", "last4": "4242",
        },
        "created": created,
        "customer": customer,
        "livemode": False,
        "metadata": {},
        "type": "card",
    }  # fmt: skip


def payout(*, amount: int, currency: str, created: int) -> Thing:
    """Return a payout that has arrived."""
    return {
        "id": new_id("po"),
        "object": "payout",
        "amount": amount,
        "arrival_date": created,
        "automatic": True,
        "balance_transaction": None,
        "created": created,
        "currency": currency,
        "description": "STRIPE PAYOUT",
        "destination": None,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "original_payout": None,
        "reconciliation_status": "completed",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "paid",
        "type": "bank_account",
    }


def event(kind: str, about: Thing, *, created: int) -> Thing:
    """Return an event about an object, as it is now."""
    return {
        "id": new_id("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": created,
        "data": {"object": about},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }


def endpoint(url: str, *, created: int) -> Thing:
    """Return a webhook endpoint that gets every event."""
    return {
        "id": new_id("we"),
        "object": "webhook_endpoint",
        "api_version": None,
        "application": None,
        "created": created,
        "description": None,
        "enabled_events": ["*"],
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        "url": url,
    }
