"""What a gateway raises: a call that failed, and a webhook that is not to be believed."""

# The code of an error because our keys are for the other mode (test or live) than what was asked about.
OTHER_MODE = "other_mode"


class GatewayError(Exception):
    """A call to the gateway failed.

    `permanent`: the gateway refused, and would again. Otherwise the outcome is not known: ask again later.
    """

    def __init__(self, detail: str, *, permanent: bool, code: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.permanent = permanent
        self.code = code


class BadWebhook(Exception):
    """The webhook is not from the gateway, too old, or not readable. Nothing of it may be stored."""


class ForeignWebhook(BadWebhook):
    """The signature is valid, but for another account or the other mode (test or live). Nothing is stored."""
