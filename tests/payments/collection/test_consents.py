from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils.translation import override

from core.ids import new_id
from payments.collection import consents
from payments.collection.consents import MethodNotUsable, Purpose
from payments.models import Consent, PaymentMethod
from tests.payments.collection.story import ADDRESS, Story

pytestmark = pytest.mark.django_db


@pytest.fixture
def card(story: Story) -> PaymentMethod:
    story.buy()
    return story.card


def second(card: PaymentMethod, **changes: object) -> PaymentMethod:
    fields = {
        "customer": card.customer,
        "gateway": "sandbox",
        "gateway_id": new_id("sbm"),
        "created_at": card.created_at,
    }
    return PaymentMethod.objects.create(**fields | changes)


def test_everything_about_a_consent_is_kept(story: Story, card: PaymentMethod) -> None:
    with override("ru"):
        consent = consents.agree_to_renewals(card, address=ADDRESS, now=story.now)
        words = consents.renewal_words(card)
    assert (consent.words, consent.language, consent.version) == (words, "ru", consents.VERSION)
    assert (consent.address, consent.given_at, consent.method) == (ADDRESS, story.now, card)
    assert "Visa •••• 4242" in consent.words
    assert story.events("consent.") == ["given"]
    card.refresh_from_db()
    assert card.is_default


def test_a_new_consent_takes_the_place_of_the_one_before(story: Story, card: PaymentMethod) -> None:
    first = story.agree()
    other = second(card)
    story.later(hours=1)
    consent = consents.agree_to_renewals(other, address=None, now=story.now)
    first.refresh_from_db()
    assert (first.withdrawn_at, consents.in_force(story.customer.pk, Purpose.RENEWALS)) == (story.now, consent)
    assert list(PaymentMethod.objects.filter(is_default=True)) == [other]


def test_withdrawing_twice_does_nothing(story: Story, card: PaymentMethod) -> None:
    consent, at = story.agree(), story.now
    consents.withdraw(consent, now=at)
    consents.withdraw(consent, now=at + timedelta(hours=1))
    consent.refresh_from_db()
    assert (consent.withdrawn_at, story.events("consent.")) == (at, ["given", "withdrawn"])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"removed_at": True}, "method_removed"),
        ({"refused_at": True}, "method_refused"),
        ({"gateway": "manual"}, "gateway_cannot"),
        ({"gateway": "stripe"}, "gateway_off"),
        ({"gateway": "gone"}, "gateway_cannot"),
    ],
)
def test_a_method_that_cannot_be_charged_is_refused(
    story: Story, card: PaymentMethod, change: dict[str, object], reason: str
) -> None:
    fields = {name: story.now if value is True else value for name, value in change.items()}
    with pytest.raises(MethodNotUsable) as refusal:
        consents.agree_to_renewals(second(card, **fields), address=None, now=story.now)
    assert refusal.value.extra == {"reason": reason}
    assert not Consent.objects.exists()


def test_the_database_keeps_one_consent_and_one_default_method(story: Story, card: PaymentMethod) -> None:
    consent = story.agree()
    other = second(card)
    with pytest.raises(IntegrityError, match="one_default_method_per_customer"), transaction.atomic():
        PaymentMethod.objects.filter(pk=other.pk).update(is_default=True)
    consent.pk, consent.public_id = None, new_id("con")
    with pytest.raises(IntegrityError, match="one_consent_per_customer_and_purpose"), transaction.atomic():
        consent.save(force_insert=True)


@pytest.mark.parametrize("change", [{"words": "I agree to anything"}, {"address": None}, {"language": "xx"}])
def test_a_consent_never_changes(story: Story, card: PaymentMethod, change: dict[str, object]) -> None:
    story.agree()
    with pytest.raises(DatabaseError, match="A consent never changes"), transaction.atomic():
        Consent.objects.update(**change)


def test_a_withdrawal_is_not_taken_back(story: Story, card: PaymentMethod) -> None:
    consents.withdraw(story.agree(), now=story.now)
    with pytest.raises(DatabaseError, match="A consent never changes"), transaction.atomic():
        Consent.objects.update(withdrawn_at=None)


def test_a_removed_method_leaves_room_for_another_default(story: Story, card: PaymentMethod) -> None:
    story.agree()
    PaymentMethod.objects.update(removed_at=story.now)
    other = second(card)
    consents.make_default(other)
    other.refresh_from_db()
    assert other.is_default
