"""Every kind of the product is complete: a name of its own, events, and three templates."""

from typing import get_type_hints

import pytest
from django.template.loader import get_template

from accounts.mail_choices import MailCategory
from billing_site.settings import MAIL_KINDS
from events.mails import kinds
from events.models import Mail


@pytest.fixture(autouse=True)
def product(post, settings):
    """Use the kinds of the product instead of the samples."""
    settings.MAIL_KINDS = MAIL_KINDS


def test_each_kind_has_a_name_of_its_own_and_events():
    names = [kind.name for kind in kinds.every()]
    assert len(names) >= 2
    assert len(set(names)) == len(names)
    assert Mail.LOGIN not in names
    assert [kind.name for kind in kinds.every() if not kind.events] == []


def test_each_kind_has_its_templates():
    for kind in kinds.every():
        is_notice = "Notice" in str(get_type_hints(kind.compose)["return"])
        for part in ("subject.txt", "txt", "html"):
            get_template(f"mail/{'notice' if is_notice else kind.name}.{part}")


def test_a_kind_is_found_by_its_name_and_by_its_events():
    assert kinds.get("receipt").category == MailCategory.MONEY
    assert kinds.get("receipt") in kinds.by_event()["payment.confirmed"]
    with pytest.raises(KeyError):
        kinds.get("no such kind")


def test_names_fit_their_columns():
    longest = max(len(kind.name) for kind in kinds.every())
    assert longest <= (Mail._meta.get_field("kind").max_length or 0)
