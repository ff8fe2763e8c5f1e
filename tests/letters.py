"""Helpers that render mails as they would be sent now. No test lives here."""

import re
from datetime import datetime
from html import unescape

from core.letters import Letter
from events.mails import kinds, letters
from events.models import Event

# The coloured word on top of a mail, in English and in Russian, by kind. "" stands for none.
STATUS_WORDS: dict[str, dict[str, str]] = {
    "adjusted": {"Added": "Добавлено", "Taken": "Списано"},
    "automatic_given_up": {"Not paid": "Не оплачено"},
    "automatic_not_tried": {"Not paid": "Не оплачено"},
    "cancelled": {"": ""},
    "card_expires": {"Expires soon": "Срок истекает"},
    "confirm_with_bank": {"Your confirmation is needed": "Нужно подтверждение"},
    "debt": {"Debt": "Долг", "Paid": "Оплачено", "Written off": "Списан"},
    "dispute": {"Disputed": "Оспорен", "Returned": "Возвращено", "Lost": "Возвращено банку"},
    "ended": {"": ""},
    "extended": {"": ""},
    "low_balance": {"": ""},
    "order_given_up": {"": ""},
    "overdue": {"Payment overdue": "Оплата просрочена"},
    "payment_failed": {"Not paid": "Не оплачено"},
    "plan_changed": {"": "", "Changed": "Изменено"},
    "receipt": {"✓ Paid": "✓ Оплачено"},
    "refund_failed": {"Not refunded": "Возврат не прошёл"},
    "refunded": {"Refunded": "Возвращено", "Taken back": "Списано обратно"},
    "renewal_ahead": {"": "", "Top up needed": "Нужно пополнить"},
    "renewed": {"": ""},
    "resumed": {"Active": "Активна"},
    "suspended": {"Suspended": "Приостановлена"},
    "top_up_limit": {"Limit reached": "Лимит достигнут"},
    "top_ups_stopped": {"Stopped": "Остановлено"},
    "trial_ends": {"": "", "Top up needed": "Нужно пополнить"},
}

TAG = re.compile(r"<(style|title).*?</\1>|<[^>]+>", re.DOTALL)

STATUS = re.compile(r'<span class="\w+" style="[^"]*border-radius:99px[^"]*">([^<]*)</span>')


def letter_of(name: str, *, now: datetime) -> Letter | None:
    """Return the mail of this kind about the last event that the kind answers; None if there is nothing to tell.

    Its status is one that the kind has, in the customer's language.
    """
    kind = kinds.get(name)
    event = Event.objects.filter(type__in=kind.events).select_related("customer").latest("id")
    letter = letters.compose(kind, [event], event.customer, now=now)
    if letter is not None:
        known = STATUS_WORDS[name]
        assert status_of(letter) in (known.values() if event.customer.language == "ru" else known)
    return letter


def status_of(letter: Letter) -> str:
    """Return the coloured word on top of a mail; empty if it has none."""
    found = STATUS.search(letter.html)
    return unescape(found[1]).strip() if found else ""


def told(name: str, *, now: datetime) -> Letter:
    """Return the mail of this kind about the last event, which has something to tell."""
    letter = letter_of(name, now=now)
    assert letter is not None
    return letter


def words(letter: Letter) -> str:
    """Return the words of the HTML with single spaces. No-break spaces are kept."""
    return words_of(letter.html)


def words_of(html: str) -> str:
    """Return the words of an HTML page in the same way."""
    return re.sub(r"[ \n]+", " ", unescape(TAG.sub(" ", html))).strip()


def lines(letter: Letter) -> list[str]:
    """Return the lines of the plain text that are not empty, up to the foot."""
    return [line for line in letter.text.split("\n-- \n")[0].splitlines() if line]
