"""The fields that YooKassa takes in the bodies of its requests, checked strictly: an unknown field is an error."""

import re
from collections.abc import Callable, Mapping
from typing import Any

# Checks a value at a path such as `amount.value`. Raises Invalid.
Check = Callable[[Any, str], None]
# Decimals of the currencies a shop can have here. The real one has more currencies, but none without two decimals.
DECIMALS = {"RUB": 2, "EUR": 2, "USD": 2, "KZT": 2, "BYN": 2, "UZS": 2, "JPY": 0, "KWD": 3}


class Invalid(Exception):
    """A field is missing, unknown or wrong. `parameter` is its path."""

    def __init__(self, parameter: str, description: str) -> None:
        super().__init__(description)
        self.parameter, self.description = parameter, description


def group(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with these fields and no other."""
    known = {**required, **(optional or {})}

    def check(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise Invalid(path, "An object is expected")
        for name in required:
            if name not in value:
                raise Invalid(_join(path, name), "A required parameter is missing")
        for name, inner in value.items():
            if name not in known:
                raise Invalid(_join(path, name), "An unknown parameter")
            known[name](inner, _join(path, name))

    return check


def text(most: int, pattern: str = r"(?s).+") -> Check:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, str) or len(value) > most or not re.fullmatch(pattern, value):
            raise Invalid(path, f"A text of 1 to {most} characters is expected")

    return check


def one_of(*values: object) -> Check:
    def check(value: Any, path: str) -> None:
        if not any(value == each and type(value) is type(each) for each in values):
            raise Invalid(path, f"Expected one of {values}")

    return check


def items(inner: Check, most: int) -> Check:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, list) or not 0 < len(value) <= most:
            raise Invalid(path, f"A list of 1 to {most} is expected")
        for number, each in enumerate(value):
            inner(each, f"{path}[{number}]")

    return check


def metadata(value: Any, path: str) -> None:
    """Up to 16 pairs, names of up to 32 characters, texts of up to 512."""
    if not isinstance(value, dict) or len(value) > 16:
        raise Invalid(path, "Up to 16 pairs are expected")
    for name, each in value.items():
        if len(name) > 32 or not isinstance(each, str) or len(each) > 512:
            raise Invalid(_join(path, name), "The name or the text is too long, or no text")


def amount(value: Any, path: str) -> None:
    """A decimal text with exactly the decimals of its currency, above zero."""
    group({"value": text(20, r"\d+(\.\d+)?"), "currency": text(3, r"[A-Z]{3}")})(value, path)
    decimals = DECIMALS.get(value["currency"])
    if decimals is None:
        raise Invalid(_join(path, "currency"), "An unknown currency")
    if len(value["value"].partition(".")[2]) != decimals or ("." in value["value"]) != bool(decimals):
        raise Invalid(_join(path, "value"), f"{decimals} decimals are expected")
    if not int(value["value"].replace(".", "")):
        raise Invalid(_join(path, "value"), "The amount must be above zero")


FLAG = one_of(True, False)
RECEIPT = group(
    {
        "customer": group(
            {"email": text(200, r"[^@\s]+@[^@\s]+")}, {"phone": text(15, r"\d+"), "full_name": text(256)}
        ),
        "items": items(
            group(
                {
                    "description": text(128),
                    "quantity": text(12, r"\d+\.\d{2}"),
                    "amount": amount,
                    "vat_code": one_of(*range(1, 13)),
                },
                {"payment_subject": text(40, r"[a-z_]+"), "payment_mode": text(40, r"[a-z_]+")},
            ),
            100,
        ),
    },
    {"tax_system_code": one_of(*range(1, 7))},
)
PAYMENT = group(
    {"amount": amount},
    {
        "capture": FLAG,
        "confirmation": group(
            {"type": one_of("redirect"), "return_url": text(2048, r"https?://\S+")},
            {"locale": one_of("ru_RU", "en_US"), "enforce": FLAG},
        ),
        "description": text(128),
        "metadata": metadata,
        "merchant_customer_id": text(200),
        "payment_method_id": text(50),
        "receipt": RECEIPT,
        "save_payment_method": FLAG,
    },
)
# YooKassa takes the card's own data too, from shops that may see it (PCI DSS).
METHOD = group(
    {"type": one_of("bank_card")},
    {
        "confirmation": group(
            {"type": one_of("redirect"), "return_url": text(2048, r"https?://\S+")}, {"enforce": FLAG}
        ),
        "holder": group({}, {"gateway_id": text(50)}),
        "client_ip": text(45),
    },
)
CAPTURE = group({}, {"amount": amount, "receipt": RECEIPT})
REFUND = group(
    {"payment_id": text(36), "amount": amount}, {"description": text(250), "metadata": metadata, "receipt": RECEIPT}
)
NOTHING = group({})


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
