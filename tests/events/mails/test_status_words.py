"""The coloured word on top of each mail. Every mail that a test renders is compared with the table."""

from typing import Any

from django.utils.translation import override

from billing_site.settings import MAIL_KINDS
from events.mails import kinds
from subscriptions import labels
from subscriptions.models import Subscription
from tests.letters import STATUS_WORDS

Status = Subscription.Status
# The mails that name the status of a subscription.
SAYING = {"overdue": Status.PAST_DUE, "suspended": Status.SUSPENDED, "resumed": Status.ACTIVE}


def test_every_kind_of_mail_has_its_words(settings: Any) -> None:
    settings.MAIL_KINDS = MAIL_KINDS
    assert sorted(STATUS_WORDS) == sorted(kind.name for kind in kinds.every())


def test_a_mail_names_the_status_of_a_subscription_as_pages_do() -> None:
    for name, status in SAYING.items():
        [(english, russian)] = STATUS_WORDS[name].items()
        for language, said in (("en", english), ("ru", russian)):
            with override(language):
                assert said == str(labels.STATUSES[status][2])
