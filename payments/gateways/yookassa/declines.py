"""What YooKassa's reasons of a cancelled payment mean for a charge of a saved method."""

from payments.gateways.charges import Decline

# Reasons of a cancelled payment that name the method or its owner's wish: it will not work again. Others may pass.
HARD = frozenset({
    "card_expired", "country_forbidden", "fraud_suspected", "identification_required", "invalid_card_number",
    "invalid_csc", "payment_method_restricted", "permission_revoked", "unsupported_mobile_operator",
})  # fmt: skip
AUTHENTICATION = frozenset({"3d_secure_failed"})


def of(reason: str) -> Decline | None:
    """Return what a reason means, None for an empty one."""
    if not reason:
        return None
    if reason in AUTHENTICATION:
        return Decline.AUTHENTICATION
    return Decline.HARD if reason in HARD else Decline.SOFT
