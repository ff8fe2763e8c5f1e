"""A site of real processes on the test's database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.site import Site


@pytest.fixture
def site(transactional_db: None, child_environment: dict[str, str], tmp_path: Path) -> Iterator[Site]:
    """Nothing runs yet but the broker; whatever is started is ended with the test."""
    site = Site(child_environment, tmp_path)
    try:
        site.start_redis()
        yield site
    finally:
        site.stop(*site.running)
