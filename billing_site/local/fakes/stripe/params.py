"""Parameters of a request: decoded from Stripe's form encoding and checked against the SDK's own types.

The SDK generates these types from Stripe's OpenAPI specification, so a parameter that Stripe does not know is refused
here too.
"""

import functools
import importlib
import re
import typing
from collections.abc import Iterable, Mapping
from typing import Any

import typing_extensions
from pydantic import ConfigDict, TypeAdapter, ValidationError
from stripe import RequestOptions

# Which class of stripe.params has the parameters of each call.
TYPES = {
    "checkout.sessions.create": "checkout._session_create_params.SessionCreateParams",
    "checkout.sessions.retrieve": "checkout._session_retrieve_params.SessionRetrieveParams",
    "checkout.sessions.expire": "checkout._session_expire_params.SessionExpireParams",
    "checkout.sessions.list": "checkout._session_list_params.SessionListParams",
    "payment_intents.create": "_payment_intent_create_params.PaymentIntentCreateParams",
    "payment_intents.confirm": "_payment_intent_confirm_params.PaymentIntentConfirmParams",
    "payment_intents.cancel": "_payment_intent_cancel_params.PaymentIntentCancelParams",
    "payment_intents.retrieve": "_payment_intent_retrieve_params.PaymentIntentRetrieveParams",
    "payment_intents.list": "_payment_intent_list_params.PaymentIntentListParams",
    "customers.create": "_customer_create_params.CustomerCreateParams",
    "customers.retrieve": "_customer_retrieve_params.CustomerRetrieveParams",
    "customers.list": "_customer_list_params.CustomerListParams",
    "charges.retrieve": "_charge_retrieve_params.ChargeRetrieveParams",
    "charges.list": "_charge_list_params.ChargeListParams",
    "balance_transactions.retrieve": "_balance_transaction_retrieve_params.BalanceTransactionRetrieveParams",
    "balance_transactions.list": "_balance_transaction_list_params.BalanceTransactionListParams",
    "refunds.create": "_refund_create_params.RefundCreateParams",
    "refunds.retrieve": "_refund_retrieve_params.RefundRetrieveParams",
    "refunds.list": "_refund_list_params.RefundListParams",
    "disputes.retrieve": "_dispute_retrieve_params.DisputeRetrieveParams",
    "disputes.list": "_dispute_list_params.DisputeListParams",
    "payment_methods.retrieve": "_payment_method_retrieve_params.PaymentMethodRetrieveParams",
    "payment_methods.detach": "_payment_method_detach_params.PaymentMethodDetachParams",
    "payouts.retrieve": "_payout_retrieve_params.PayoutRetrieveParams",
    "payouts.list": "_payout_list_params.PayoutListParams",
    "events.retrieve": "_event_retrieve_params.EventRetrieveParams",
    "events.list": "_event_list_params.EventListParams",
    "webhook_endpoints.retrieve": "_webhook_endpoint_retrieve_params.WebhookEndpointRetrieveParams",
    "webhook_endpoints.list": "_webhook_endpoint_list_params.WebhookEndpointListParams",
}
# Parameters that this version of the API no longer takes.
REMOVED = {"payment_method_types": "payment_method_types_no_longer_supported"}


class BadParameter(ValueError):
    """A parameter is unknown, missing or malformed. `code` is Stripe's, `param` as Stripe writes it: a[b][0]."""

    def __init__(self, message: str, *, param: str, code: str) -> None:
        super().__init__(message)
        self.param, self.code = param, code


def decode(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return the parameters of `a[b][0][c]=...` as nested dicts and lists. All values are text."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        head, *rest = re.findall(r"[^\[\]]+", name) or [name]
        path, node = [head, *rest], tree
        for step in path[:-1]:
            node = node.setdefault(step, {})
        node[path[-1]] = value
    return {name: _lists(value) for name, value in tree.items()}


def check(call: str, sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a call with their types, such as whole numbers. Raises BadParameter."""
    for name in sent:
        if name in REMOVED:
            raise BadParameter(f"{name} is no longer supported.", param=name, code=REMOVED[name])
        if name in RequestOptions.__annotations__:
            raise BadParameter(f"Received unknown parameter: {name}", param=name, code="parameter_unknown")
    try:
        checked: dict[str, Any] = adapter(TYPES[call]).validate_python(sent)
    except ValidationError as error:
        raise _bad(error) from error
    return checked


@functools.cache
def adapter(path: str) -> TypeAdapter[Any]:
    """Return the check for a class of stripe.params, named by its module and its name. Extra keys are forbidden."""
    module_name, _, name = path.rpartition(".")
    module = importlib.import_module(f"stripe.params.{module_name}")
    for each in vars(module).values():
        if typing_extensions.is_typeddict(each):
            each.__pydantic_config__ = ConfigDict(extra="forbid")
    content = typing.TypeVar("content")
    # The types are written as text, with names that their modules import for type checkers only.
    names = vars(module) | {
        "StripeContext": Any, "UntypedStripeObject": dict[str, content], "Mapping": Mapping,
        "Optional": typing.Optional, "Union": typing.Union, "NotRequired": typing_extensions.NotRequired,
    }  # fmt: skip
    built = TypeAdapter[Any](getattr(module, name))
    built.rebuild(force=True, _types_namespace=names)
    return built


def _lists(node: Any) -> Any:
    """Turn dicts whose keys are 0, 1, 2, ... into lists."""
    if not isinstance(node, dict):
        return node
    inner = {name: _lists(value) for name, value in node.items()}
    return list(inner.values()) if inner and all(name.isdigit() for name in inner) else inner


def _bad(error: ValidationError) -> BadParameter:
    """Return the first error in Stripe's words; unknown parameters come first."""
    errors = sorted(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
    head, *rest = [part for part in errors[0]["loc"] if not (isinstance(part, str) and "[" in part)]
    param = str(head) + "".join(f"[{part}]" for part in rest)
    match errors[0]["type"]:
        case "extra_forbidden":
            return BadParameter(f"Received unknown parameter: {param}", param=param, code="parameter_unknown")
        case "missing":
            return BadParameter(f"Missing required param: {param}.", param=param, code="parameter_missing")
        case _:
            return BadParameter(f"Invalid {param}: {errors[0]['msg']}", param=param, code="parameter_invalid")
