"""The REST API: rate limits, REST framework, tokens and the OpenAPI document."""

import re
from datetime import timedelta

from billing_site.settings.environment import LOCAL, SITE_NAME, SITE_URL, env


def rate(name: str, default: str) -> str:
    """Return a rate from the environment, such as `30/m`: thirty in a minute. Raises ImproperlyConfigured."""
    allowed = "a rate such as 30/m, with s, m, h or d"
    text: str = env.parsed(name, _rate, default=default, allowed=allowed, example=default)
    return text


def _rate(text: str) -> str:
    if not re.fullmatch("[1-9][0-9]{0,9}/(s|sec|second|m|min|minute|h|hour|d|day)", text):
        raise ValueError(text)
    return text


# Requests per user, per address, and per address to register and to log in.
API_RATES = {
    "user": rate("API_RATE_USER", "1200/m"),
    "address": rate("API_RATE_ADDRESS", "2400/m"),
    "register": rate("API_RATE_REGISTER", "60/h"),
    "login": rate("API_RATE_LOGIN", "60/m"),
}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.api.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["core.api.parsers.SafeJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["core.api.renderers.JSONRenderer"],
    "DEFAULT_FILTER_BACKENDS": ["core.api.filters.StrictFilters"],
    "DEFAULT_PAGINATION_CLASS": "core.api.pagination.CursorPages",
    "DEFAULT_THROTTLE_CLASSES": ["core.api.throttles.Limits"],
    "DEFAULT_SCHEMA_CLASS": "core.api.schema.DescribedSchema",
    "EXCEPTION_HANDLER": "billing_site.problems.handler",
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "TEST_REQUEST_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}
LOCAL_JWT_SIGNING_KEY = "local-only-not-a-key-" + "0" * 43
SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    # Not SECRET_KEY, so that a leak of one does not expose the other.
    "SIGNING_KEY": env.str("JWT_SIGNING_KEY") or (LOCAL_JWT_SIGNING_KEY if LOCAL else ""),
    "ISSUER": env.str("JWT_ISSUER") or SITE_URL,
    "AUDIENCE": env.str("JWT_AUDIENCE", default="billing-api"),
    "LEEWAY": 0,
    "ACCESS_TOKEN_LIFETIME": timedelta(seconds=env.int("JWT_ACCESS_SECONDS", default=600, least=1)),
    "REFRESH_TOKEN_LIFETIME": timedelta(seconds=env.int("JWT_REFRESH_SECONDS", default=24 * 3600, least=1)),
    "USER_ID_CLAIM": "user_id",
    "UPDATE_LAST_LOGIN": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": SITE_NAME + " API",
    "DESCRIPTION": "Plans, subscriptions, payments and the balance of a customer. See docs/api.md for a quick start.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": r"/api(/v1)?",
    "SERVERS": [{"url": SITE_URL, "description": SITE_NAME}],
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "persistAuthorization": False, "validatorUrl": None},
    "COMPONENT_SPLIT_REQUEST": True,
    # The fields of our PATCH requests are optional as they stand.
    "COMPONENT_SPLIT_PATCH": False,
    "ENUM_NAME_OVERRIDES": {
        "SubscriptionStatus": "subscriptions.models.Subscription.Status",
        "PaymentStatus": "payments.models.Payment.Status",
        "TransactionReason": "ledger.models.Transaction.Reason",
        "Interval": "subscriptions.models.Price.Interval",
        "Language": "accounts.models.User.Language",
        "RefundStatus": "payments.models.Refund.Status",
        "RefundDestination": "payments.models.Refund.Destination",
        "DisputeStatus": "payments.models.Dispute.Status",
        "ConsentPurpose": "payments.models.Consent.Purpose",
        "ExplanationKind": "subscriptions.api.explanations.KINDS",
        "MailCategory": "accounts.mail_choices.OPTIONAL",
        "Billing": ["advance", "metered"],
        "When": "subscriptions.api.serializers.WHEN",
    },
    "PREPROCESSING_HOOKS": ["core.api.schema.each_path_once"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "core.api.schema.document_problems",
        "core.api.schema_details.document_details",
    ],
}
