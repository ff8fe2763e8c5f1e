"""What Stripe's codes of a declined charge mean. Source: docs.stripe.com/declines/codes."""

from payments.gateways.charges import Decline

AUTHENTICATION = frozenset({"authentication_required", "payment_intent_authentication_failure"})
# The method will not work again, or its owner has forbidden such charges. Any other code may pass.
HARD = frozenset({
    "card_not_supported", "currency_not_supported", "expired_card", "fraudulent", "incorrect_cvc", "incorrect_number",
    "invalid_account", "invalid_cvc", "invalid_expiry_month", "invalid_expiry_year", "invalid_number", "lost_card",
    "merchant_blacklist", "pickup_card", "restricted_card", "revocation_of_all_authorizations",
    "revocation_of_authorization", "security_violation", "stolen_card", "stop_payment_order",
})  # fmt: skip


def of(code: str) -> Decline | None:
    """Return what a code means, None for an empty one."""
    if not code:
        return None
    if code in AUTHENTICATION:
        return Decline.AUTHENTICATION
    return Decline.HARD if code in HARD else Decline.SOFT
