"""Flags in request bodies accept only true and false, in every serializer."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.urls import get_resolver
from rest_framework import serializers

from core.api.fields import FlagField, TextField
from core.api.serializers import StrictSerializer
from subscriptions.api.serializers import CancelSerializer, PatchSubscriptionSerializer

get_resolver().url_patterns  # noqa: B018 - loads every view, and with them every serializer


def serializer_classes(base: type[StrictSerializer] = StrictSerializer) -> Iterator[type[StrictSerializer]]:
    for kind in base.__subclasses__():
        yield kind
        yield from serializer_classes(kind)


def flags() -> list[tuple[type[StrictSerializer], str, Any]]:
    """Return (serializer class, name, field) of every flag that a client may send."""
    return [
        (kind, name, field)
        for kind in serializer_classes()
        for name, field in kind().fields.items()
        if isinstance(field, serializers.BooleanField) and not field.read_only
    ]


def test_every_writable_flag_is_a_flag_field() -> None:
    found = flags()
    assert {name for _kind, name, _field in found} >= {"all", "auto_renew", "refund_unused"}
    assert [(kind, name) for kind, name, field in found if not isinstance(field, FlagField)] == []


@pytest.mark.parametrize("sent", [0, 1, 1.0, "true", "false", "on", "no", "", [], {}])
def test_values_that_resemble_a_flag_are_refused(sent: Any) -> None:
    for kind, name, _field in flags():
        form = kind(data={name: sent})
        assert not form.is_valid()
        assert "Allowed: true, false." in str(form.errors[name][0])


@pytest.mark.parametrize("sent", [True, False])
def test_true_and_false_are_accepted(sent: bool) -> None:
    form = CancelSerializer(data={"when": "now", "refund_unused": sent})
    assert form.is_valid()
    assert form.validated_data["refund_unused"] is sent


@pytest.mark.parametrize("sent", [7, 7.5, True, None, ["7"], {"7": "7"}])
def test_a_text_is_a_json_string(sent):
    class Named(StrictSerializer):
        name = TextField()

    form = Named(data={"name": sent})
    assert not form.is_valid()
    assert list(form.errors) == ["name"]


@pytest.mark.parametrize("sent", [Decimal("4.0"), Decimal("4"), Decimal("4E0"), 4, "4"])
def test_a_whole_number_may_be_written_with_zeros_after_the_point(sent: Any) -> None:
    """JSON has one kind of number, and JSON Schema calls 4.0 an integer."""
    assert PatchSubscriptionSerializer().fields["quantity"].run_validation(sent) == 4


@pytest.mark.parametrize("sent", [Decimal("4.5"), Decimal("1E+300000"), Decimal("NaN"), "4.0", "4e0", True, "４"])
def test_other_numbers_are_not_whole(sent: Any) -> None:
    assert not PatchSubscriptionSerializer(data={"quantity": sent}).is_valid()
