"""A story that begins at noon on Monday, 2 March 2026."""

from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine

from accounts.models import User
from payments import sweeps
from subscriptions.models import Price
from tests.payments.collection.story import Story

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def story(alice: User, basic: Price, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    """Alice and the plan `basic`, which costs 990.00 roubles a month."""
    # A sweep adds the seconds that it has taken so far: here it takes none.
    monkeypatch.setattr(sweeps, "time", SimpleNamespace(monotonic=lambda: 0.0))
    with time_machine.travel(NOON, tick=False) as traveller:
        story = Story(alice, traveller)
        yield story
        story.close()


@pytest.fixture
def agreed(story: Story) -> Any:
    """The running subscription of a customer who has agreed to renewals."""
    subscription = story.buy()
    story.agree()
    story.run()
    assert story.attempts == []
    return subscription
