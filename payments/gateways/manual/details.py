"""The seller's details that customers need for a transfer, by currency.

MANUAL_DETAILS is a JSON object of texts, such as {"beneficiary": "Acme Ltd", "account": "..."}, or an object that has
such an object for each currency: {"EUR": {...}, "RUB": {...}}. They are shown in their order. A name without a label
here is shown as it is.
"""

import json
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ledger.money import EXPONENTS

LABELS: dict[str, str | Promise] = {
    "beneficiary": _("Beneficiary"),
    "tax_id": _("Taxpayer number"),
    "account": _("Account number"),
    "iban": _("IBAN"),
    "bank": _("Bank"),
    "bank_code": _("Bank code (BIC)"),
    "correspondent_account": _("Correspondent account"),
    "address": _("Address"),
    "note": _("Please note"),
}


class Detail(NamedTuple):
    """One line: its label, and the text to copy."""

    label: str | Promise
    text: str


def of(currency: str) -> list[Detail]:
    """Return the details for transfers in a currency; none if we take no transfers in it."""
    return [Detail(LABELS.get(name, name), text) for name, text in _accounts().get(currency, {}).items()]


def currencies() -> list[str]:
    """Return the currencies in which we take transfers: those of MANUAL_CURRENCIES for which there is an account."""
    accounts = _accounts()
    return [currency for currency in _wanted() if accounts.get(currency) and currency in EXPONENTS]


def problems() -> list[str]:
    """Return what is wrong with the settings, a line each."""
    found = _read()
    if isinstance(found, str):
        return [found]
    unknown = [currency for currency in _wanted() if currency not in EXPONENTS]
    if unknown:
        return [f"MANUAL_CURRENCIES has {', '.join(unknown)}, which is no currency of ours"]
    missing = [currency for currency in settings.MANUAL_CURRENCIES if not _accounts().get(currency)]
    return [f"MANUAL_CURRENCIES has {', '.join(missing)}, for which MANUAL_DETAILS has no account"] if missing else []


def _accounts() -> dict[str, dict[str, str]]:
    """Return the details by currency; nothing if the setting is blank or wrong."""
    found = _read()
    if isinstance(found, str):
        return {}
    is_one_for_all = all(isinstance(value, str) for value in found.values())
    return dict.fromkeys(_wanted(), found) if is_one_for_all else found


def _read() -> dict[str, Any] | str:
    """Return the setting as it is written, or what is wrong with it."""
    if not settings.MANUAL_DETAILS:
        return "MANUAL_DETAILS is blank: nobody could know where to send money"
    try:
        found = json.loads(settings.MANUAL_DETAILS)
    except ValueError as error:
        return f"MANUAL_DETAILS is not JSON: {error}"
    if isinstance(found, dict) and found and (_are_texts(found) or all(map(_are_texts, found.values()))):
        return found
    return "MANUAL_DETAILS must be a JSON object of texts, or an object with such an object for each currency"


def _are_texts(value: object) -> bool:
    return isinstance(value, dict) and bool(value) and all(isinstance(text, str) and text for text in value.values())


def _wanted() -> list[str]:
    return list(settings.MANUAL_CURRENCIES or settings.TOP_UP_LIMITS)
