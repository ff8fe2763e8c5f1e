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
        400, _("The request has errors"), _("Correct the parameters listed in `errors` and send the request again.")
    ),
    "malformed": Kind(
        400,
        _("The request body could not be read"),
        _("Send one JSON object in UTF-8, each key once, nested at most 32 levels deep."),
    ),
    "invalid_cursor": Kind(
        400, _("Invalid cursor"), _("Use the links in `next` and `previous`, or start without a cursor.")
    ),
    "invalid_idempotency_key": Kind(
        400,
        _("Invalid Idempotency-Key"),
        _("Send one header with 1 to 255 printable ASCII characters without commas, for example a UUID."),
    ),
    "idempotency_key_required": Kind(
        400, _("Idempotency-Key is missing"), _("Send an `Idempotency-Key` header, for example a UUID.")
    ),
    "bad_request": Kind(400, _("The request is invalid"), _("See `detail` for what is wrong.")),
    "not_found": Kind(
        404,
        _("Not found"),
        _("Check the address and the id. Objects of other customers give the same answer."),
    ),
    "method_not_allowed": Kind(405, _("Method not allowed"), _("Use a method from the `Allow` header.")),
    "not_acceptable": Kind(406, _("Responses are in JSON only"), _("Send `Accept: application/json`.")),
    "too_large": Kind(
        413, _("The request body is too large"), _("Send less in one request. The limit is in `detail`.")
    ),
    "uri_too_long": Kind(
        414, _("The address is too long"), _("Shorten the query, or follow `next` as it is. The limit is in `detail`.")
    ),
    "headers_too_large": Kind(
        431, _("The headers are too large"), _("Send fewer or shorter headers. The limit is in `detail`.")
    ),
    "unsupported_media_type": Kind(
        415, _("Requests must be in JSON"), _("Send `Content-Type: application/json` and a body in UTF-8.")
    ),
    "too_many_requests": Kind(
        429, _("Too many requests"), _("Wait the number of seconds in the `Retry-After` header, then continue.")
    ),
    # Authentication
    "not_authenticated": Kind(
        401, _("Log in first"), _("Send `Authorization: Bearer <access token>` with a token from POST /api/auth/token.")
    ),
    "invalid_token": Kind(
        401, _("Invalid token"), _("Get a new one with POST /api/auth/token/refresh, or log in again.")
    ),
    "invalid_credentials": Kind(
        401, _("Wrong username or password"), _("Check both, or reset the password on the login page.")
    ),
    "second_factor_required": Kind(
        401, _("Two-step verification code required"), _("Send the code from your authenticator app as `code`.")
    ),
    "second_factor_unreadable": Kind(
        409,
        _("Two-step verification cannot be checked"),
        _("No code helps. Ask the support of this site to reset two-step verification."),
    ),
    "too_many_attempts": Kind(
        429,
        _("Too many login attempts"),
        _("Wait the number of seconds in the `Retry-After` header, then try again."),
    ),
    "permission_denied": Kind(
        403, _("You do not have permission to do this"), _("Ask a colleague who has permission.")
    ),
    "taken": Kind(409, _("Already taken"), _("Choose another one, or log in if it is yours.")),
    # Idempotency and conflicts
    "idempotency_key_in_use": Kind(
        409, _("The first request with this key is still running"), _("Send the same request again in a second.")
    ),
    "idempotency_key_reused": Kind(
        422, _("This key was used for another request"), _("Use a new Idempotency-Key for each new operation.")
    ),
    "duplicate_payment": Kind(
        409, _("This payment already exists"), _("Get it by its id instead of creating it again.")
    ),
    "conflict": Kind(409, _("Changed by another request"), _("Read the current state, then try again.")),
    # Money and subscriptions
    "refused": Kind(409, _("The rules do not allow this"), _("See `detail` for the rule and the current state.")),
    "insufficient_funds": Kind(
        402, _("Not enough money on the balance"), _("Top up with POST /api/v1/payment, then send the request again.")
    ),
    # Plans and subscriptions
    "plan_not_found": Kind(400, _("Plan not found"), _("Choose a plan from GET /api/plans/.")),
    "plan_not_sold_in_currency": Kind(
        400, _("The plan has no price in this currency"), _("Choose one of the currencies in `detail`.")
    ),
    "currency_required": Kind(
        400, _("Currency required"), _("Send `currency`. The plan has prices in several; `detail` lists them.")
    ),
    "currency_mismatch": Kind(
        400, _("Currencies do not match"), _("A subscription keeps its currency. Create a new subscription instead.")
    ),
    "adjustment_refused": Kind(
        409, _("The adjustment is not possible"), _("See `detail` for what the customer has and who may decide.")
    ),
    "more_than_the_debt": Kind(409, _("The debt is smaller"), _("Write off at most what the customer owes.")),
    "out_of_range": Kind(400, _("The order is too small or too large"), _("Stay within the limits in `detail`.")),
    "too_many_subscriptions": Kind(
        409, _("Too many subscriptions"), _("Cancel one that you do not need. The limit is in `detail`.")
    ),
    "subscription_is_final": Kind(
        409, _("The subscription has ended"), _("Create a new one with POST /api/subscriptions/.")
    ),
    "subscription_is_paused": Kind(409, _("The subscription is paused"), _("Resume it first.")),
    "subscription_is_not_active": Kind(
        409,
        _("The subscription is not active"),
        _("Check its `status`. If it waits for payment, `next` says how to pay."),
    ),
    "plan_cannot_be_paused": Kind(
        409, _("The plan cannot be paused"), _("See `can_pause` of the price. Cancel it instead.")
    ),
    "email_not_confirmed": Kind(
        409,
        _("The email address is not confirmed"),
        _("Open the link in the mail. POST /api/auth/confirm-email sends it again."),
    ),
    "plan_refunds_nothing": Kind(
        409,
        _("The plan does not refund unused time"),
        _("See `can_refund_unused` of the price. Cancel at the end of the period, or now without `refund_unused`."),
    ),
    "quantity_too_large_for_trial": Kind(
        409,
        _("No trial is given for this quantity"),
        _("Stay within `trial_quantity_max` of the price, or change the quantity after the trial."),
    ),
    "nothing_to_extend": Kind(
        409, _("There is nothing to extend"), _("Check `status`: a paid period, a trial or days of grace must run.")
    ),
    "grace_too_long": Kind(
        409, _("The days of grace would be too long"), _("Give fewer days, or wait until the period is paid.")
    ),
    "account_is_blocked": Kind(409, _("The account is closed"), _("Contact support.")),
    "subscription_is_not_paused": Kind(
        409, _("The subscription is not paused"), _("You can resume only a paused subscription.")
    ),
    "no_cancel_to_undo": Kind(
        409, _("There is no cancellation to undo"), _("Check `cancel_at_period_end` of the subscription.")
    ),
    "quote_changed": Kind(
        409,
        _("The quote has expired"),
        _("Nothing was done. Check the new quote and confirm it."),
    ),
    "price_is_not_current": Kind(
        409,
        _("Someone has already published a newer price version"),
        _("Reload the plan and start from its current price."),
    ),
    "subscription_changed": Kind(409, _("The subscription has changed"), _("Look at it again, then decide.")),
    "price_terms_invalid": Kind(
        400, _("These terms cannot be combined"), _("Nothing was changed. Correct what `detail` names.")
    ),
    # Payments
    "amount_mismatch": Kind(400, _("Wrong amount"), _("Omit the amount, or send the one in `due`.")),
    "amount_out_of_range": Kind(
        400, _("The amount is too small or too large"), _("Send an amount within the limits in `detail`.")
    ),
    "currency_not_taken": Kind(400, _("Currency not accepted"), _("Use one of the currencies in `detail`.")),
    "unknown_gateway": Kind(400, _("Unknown payment gateway"), _("Omit `gateway`, or use one from `detail`.")),
    "no_gateway": Kind(
        400,
        _("No payment gateway takes this"),
        _("Choose a currency, an amount or a gateway from `detail`."),
    ),
    "auto_top_up_invalid": Kind(
        400,
        _("The rule for automatic top-ups is not possible"),
        _("Correct the parameter that the error names. What is allowed is in `detail`."),
    ),
    "method_not_usable": Kind(
        409,
        _("The payment method cannot be charged"),
        _("`reason` says why. Save another method with your next payment, and choose that one."),
    ),
    "method_not_added": Kind(
        409,
        _("No payment method can be saved there"),
        _("Save one with your next payment, or choose another gateway."),
    ),
    "consent_words_required": Kind(
        400,
        _("The customer must be shown the words of the consent"),
        _(
            "Show the customer `words`, and send them back as the parameter in `errors` once the customer agrees. "
            "Use a new key."
        ),
    ),
    "gateway_cannot_charge": Kind(
        400, _("The gateway cannot charge renewals"), _("Choose another `gateway`, or omit `renewal_words`.")
    ),
    "invalid_payment_id": Kind(
        400,
        _("Invalid payment_id"),
        _("Omit it, or send 8 to 40 letters and digits."),
    ),
    "nothing_to_pay": Kind(
        409, _("There is nothing to pay"), _("Subscribe directly with POST /api/subscriptions/. No checkout is needed.")
    ),
    "subscription_not_waiting": Kind(
        409,
        _("The subscription is not waiting for payment"),
        _("Check its `status`. To pay ahead, top up the balance."),
    ),
    "payment_in_progress": Kind(
        409,
        _("There is already an open payment for this"),
        _("Continue the payment in `payment_id`, or cancel it with POST /api/payments/cancel-payment."),
    ),
    "payment_not_confirmed": Kind(
        409, _("The payment is not confirmed"), _("Check `state`. While it is pending or unknown, try again later.")
    ),
    "payment_not_pending": Kind(
        409, _("The payment is not pending"), _("Check `state`. A confirmed payment can only be refunded.")
    ),
    "payment_not_parked": Kind(
        409, _("The payment does not wait for a decision"), _("Check `state`. Somebody may have decided already.")
    ),
    "refund_refused": Kind(
        409, _("This cannot be refunded"), _("Nothing was refunded. Send at most `refundable`, or see `detail`.")
    ),
    "transfer_refused": Kind(
        409,
        _("This does not fit the transfer"),
        _("Nothing was recorded. `detail` says why; check the transfer, its receipts and its refunds."),
    ),
    "gateway_refused": Kind(
        502,
        _("The payment gateway refused the payment"),
        _("Nothing was paid. Try another gateway, or contact support."),
    ),
    # Our own failures
    "internal_error": Kind(
        500,
        _("Something went wrong on our side"),
        _("Check the current state before you try again. If you contact support, give the `request_id`."),
    ),
    "unavailable": Kind(
        503, _("The site is busy"), _("Nothing was done. Send the same request after `Retry-After` seconds.")
    ),
}


def kind_of(code: str) -> Kind:
    """Return the row of `code`, or that of `refused` for an unknown code."""
    return ERRORS.get(code, ERRORS["refused"])
