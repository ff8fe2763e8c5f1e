"""The table of every error code of the API. The pages /docs/errors/<code> are rendered from the same rows.

A new `code` of a DomainError needs a row here; a test finds codes without one.
"""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Kind(NamedTuple):
    """The HTTP status of a code, a title that never changes, and what the caller can do about it."""

    status: int
    title: str | Promise
    remedy: str | Promise


ERRORS: dict[str, Kind] = {
    # The request itself
    "validation_failed": Kind(
        400, _("The request has errors"), _("Correct the parameters named in `errors` and send the request again.")
    ),
    "malformed": Kind(
        400, _("The body could not be read"), _("Send one JSON object in UTF-8, each key once, nested at most 32 deep.")
    ),
    "invalid_cursor": Kind(
        400, _("The cursor is not one of ours"), _("Follow `next` and `previous` as given, or start without a cursor.")
    ),
    "invalid_idempotency_key": Kind(
        400, _("The Idempotency-Key cannot be used"), _("Send 1 to 255 printable ASCII characters, a UUID for example.")
    ),
    "bad_request": Kind(400, _("The request is not acceptable"), _("Look at `detail` for what was wrong.")),
    "not_found": Kind(
        404,
        _("There is no such thing here"),
        _("Check the address and the id. What belongs to somebody else is answered the same way."),
    ),
    "method_not_allowed": Kind(405, _("This method is not allowed here"), _("Use a method of the `Allow` header.")),
    "not_acceptable": Kind(406, _("Only JSON is spoken here"), _("Send `Accept: application/json`.")),
    "too_large": Kind(413, _("The body is too large"), _("Send less at once; the limit stands in `detail`.")),
    "unsupported_media_type": Kind(
        415, _("Only JSON is read here"), _("Send `Content-Type: application/json` and a body in UTF-8.")
    ),
    "too_many_requests": Kind(
        429, _("Too many requests"), _("Wait as many seconds as the `Retry-After` header says, then go on.")
    ),
    # Authentication
    "not_authenticated": Kind(
        401, _("Log in first"), _("Send `Authorization: Bearer <access token>` from POST /api/auth/token.")
    ),
    "invalid_token": Kind(
        401, _("The token is not good"), _("Get a fresh one: POST /api/auth/token/refresh, or log in again.")
    ),
    "invalid_credentials": Kind(
        401, _("The name or the password is not right"), _("Check both, or reset the password on the log-in page.")
    ),
    "second_factor_required": Kind(
        401, _("A second factor is needed"), _("Send the code of your authenticator app as `code`.")
    ),
    "too_many_attempts": Kind(
        429,
        _("Too many attempts to log in"),
        _("Wait as many seconds as the `Retry-After` header says, then try again."),
    ),
    "permission_denied": Kind(403, _("You may not do this"), _("Ask a member of staff who may.")),
    "taken": Kind(409, _("Somebody has this already"), _("Choose another name, or log in if it is yours.")),
    # Idempotency and conflicts
    "idempotency_key_in_use": Kind(
        409, _("The first request with this key is still running"), _("Send the same request again a second later.")
    ),
    "idempotency_key_reused": Kind(
        422, _("This key belongs to another request"), _("Use a new Idempotency-Key for each new operation.")
    ),
    "duplicate_payment": Kind(
        409, _("This payment exists already"), _("Ask for it by its id instead of creating it again.")
    ),
    "conflict": Kind(
        409, _("Something else has changed this meanwhile"), _("Read the current state and decide again.")
    ),
    # Money and subscriptions
    "refused": Kind(409, _("The rules do not allow this"), _("Look at `detail` for the rule and the current state.")),
    "insufficient_funds": Kind(
        402, _("The wallet does not hold enough"), _("Top up: POST /api/v1/payment, then send the request again.")
    ),
    # Plans and subscriptions
    "plan_not_found": Kind(404, _("There is no such plan on sale"), _("Choose a plan of GET /api/plans/.")),
    "plan_not_sold_in_currency": Kind(
        400, _("The plan is not sold in this currency"), _("Choose one of the currencies in `detail`.")
    ),
    "currency_required": Kind(
        400, _("The currency is missing"), _("Send `currency`: the plan is sold in several, which `detail` lists.")
    ),
    "currency_mismatch": Kind(
        400, _("Two currencies do not go together"), _("A subscription keeps its currency; order a new one instead.")
    ),
    "out_of_range": Kind(400, _("The order is too small or too large"), _("Stay within what `detail` allows.")),
    "subscription_is_final": Kind(
        409, _("The subscription has ended"), _("Order a new one: POST /api/subscriptions/.")
    ),
    "subscription_is_paused": Kind(409, _("The subscription is paused"), _("Resume it first.")),
    "plan_change_under_way": Kind(
        409, _("A change of plan is under way"), _("Ask again when it has taken effect; that is within minutes.")
    ),
    "subscription_is_not_active": Kind(
        409,
        _("The subscription is not active"),
        _("Look at its `status`; one that waits for money says how in `next`."),
    ),
    "subscription_is_not_paused": Kind(409, _("The subscription is not paused"), _("Only a paused one is resumed.")),
    "no_cancel_to_undo": Kind(
        409, _("There is no cancellation to take back"), _("Look at `cancel_at_period_end` of the subscription.")
    ),
    "quote_changed": Kind(
        409,
        _("The quote does not hold any more"),
        _("Nothing was done. Look at the new quote and decide."),
    ),
    "price_is_not_current": Kind(
        409, _("Another version of the price came first"), _("Look at the plan again and start from its current price.")
    ),
    "price_terms_invalid": Kind(
        400, _("These terms do not go together"), _("Correct what `detail` names; nothing was changed.")
    ),
    # Payments
    "amount_mismatch": Kind(
        400, _("The amount is not what is due"), _("Leave the amount out, or send the one in `due`.")
    ),
    "amount_out_of_range": Kind(
        400, _("The amount is too small or too large"), _("Send an amount within the limits that stand in `detail`.")
    ),
    "currency_not_taken": Kind(
        400, _("This currency is not taken"), _("Use one of the currencies that stand in `detail`.")
    ),
    "unknown_gateway": Kind(
        400, _("There is no such payment gateway"), _("Leave `gateway` out, or name one that stands in `detail`.")
    ),
    "invalid_payment_id": Kind(
        400,
        _("The payment_id cannot be used"),
        _("Leave it out, or send 8 to 40 letters and digits."),
    ),
    "nothing_to_pay": Kind(
        409, _("There is nothing to pay"), _("Subscribe directly: POST /api/subscriptions/. It needs no checkout.")
    ),
    "subscription_not_waiting": Kind(
        409, _("The subscription does not wait for money"), _("Look at its `status`; top up the wallet to pay ahead.")
    ),
    "payment_in_progress": Kind(
        409,
        _("There is an open payment for this already"),
        _("Go on with the payment in `payment_id`, or cancel it: POST /api/payments/cancel-payment."),
    ),
    "payment_not_confirmed": Kind(
        409, _("The payment is not confirmed"), _("Look at `state`. While it is pending or unknown, ask again later.")
    ),
    "payment_not_pending": Kind(
        409, _("The payment is not pending"), _("Look at `state`. What is confirmed can only be refunded.")
    ),
    "gateway_refused": Kind(
        502, _("The payment gateway refused"), _("Nothing was paid. Try another gateway, or tell support.")
    ),
    # Our own failures
    "internal_error": Kind(
        500, _("Something broke on our side"), _("Tell support the `request_id`. Look at the state before you repeat.")
    ),
    "unavailable": Kind(
        503, _("Busy for a moment"), _("Nothing was done. Send the same request after `Retry-After` seconds.")
    ),
}


def kind_of(code: str) -> Kind:
    """Return the row of `code`, or that of `refused` for an unknown code."""
    return ERRORS.get(code, ERRORS["refused"])
