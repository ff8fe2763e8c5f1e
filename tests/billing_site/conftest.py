"""A broker without tasks, and the log of production as a text."""

import io
import logging.config
from collections.abc import Iterator

import pytest
import redis
from django.conf import settings

from billing_site import logs
from tests.settings import BROKER_DATABASE, VALKEY


@pytest.fixture
def empty_queues() -> None:
    """Delete the tasks that earlier tests of this process have sent and no worker has taken."""
    with redis.Redis.from_url(VALKEY.cache_url(BROKER_DATABASE)) as server:
        server.flushdb()


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Log as production does, into a text that the test reads."""
    before = logging.getLogger().handlers[:]
    stream = io.StringIO()
    logging.config.dictConfig(logs.config("json", level="INFO"))
    handler = logging.getLogger().handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    yield stream
    logging.config.dictConfig(settings.LOGGING)
    logging.getLogger().handlers[:] = before
