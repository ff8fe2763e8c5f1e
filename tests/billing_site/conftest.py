"""A broker without tasks for the tests of figures."""

import pytest
import redis

from tests.settings import BROKER_DATABASE, VALKEY


@pytest.fixture
def empty_queues() -> None:
    """Delete the tasks that earlier tests of this process have sent and no worker has taken."""
    with redis.Redis.from_url(VALKEY.cache_url(BROKER_DATABASE)) as server:
        server.flushdb()
