"""A flag in a body is true or false, wherever one may be sent."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import get_resolver
from rest_framework import serializers

from core.api.fields import FlagField
from core.api.serializers import StrictSerializer
from subscriptions.api.serializers import CancelSerializer

get_resolver().url_patterns  # noqa: B018 - loads every view, and with them every serializer


def kinds(of: type[StrictSerializer] = StrictSerializer) -> Iterator[type[StrictSerializer]]:
    for kind in of.__subclasses__():
        yield kind
        yield from kinds(kind)


def flags() -> list[tuple[type[StrictSerializer], str, Any]]:
    """Return every flag that a client may send."""
    return [
        (kind, name, field)
        for kind in kinds()
        for name, field in kind().fields.items()
        if isinstance(field, serializers.BooleanField) and not field.read_only
    ]


def test_every_flag_that_may_be_sent_is_a_strict_one() -> None:
    found = flags()
    assert {name for _kind, name, _field in found} >= {"all", "auto_renew", "refund_unused"}
    assert [(kind, name) for kind, name, field in found if not isinstance(field, FlagField)] == []


@pytest.mark.parametrize("sent", [0, 1, 1.0, "true", "false", "on", "no", "", [], {}])
def test_what_only_reads_like_a_flag_is_refused_by_name(sent: Any) -> None:
    for kind, name, _field in flags():
        form = kind(data={name: sent})
        assert not form.is_valid()
        assert "Allowed: true, false." in str(form.errors[name][0])


@pytest.mark.parametrize("sent", [True, False])
def test_true_and_false_are_taken(sent: bool) -> None:
    form = CancelSerializer(data={"when": "now", "refund_unused": sent})
    assert form.is_valid()
    assert form.validated_data["refund_unused"] is sent
