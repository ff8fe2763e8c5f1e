"""The broker of a local run: a worker that looks at any moment finds whole messages."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import Empty
from threading import Barrier, Thread

import pytest
from kombu import Connection

from billing_site.celery import app
from billing_site.local.queue import Transport


@pytest.fixture
def broker(tmp_path) -> Iterator[Connection]:
    for folder in ("queue", "control"):
        (tmp_path / folder).mkdir()
    options = {"data_folder_in": tmp_path / "queue", "data_folder_out": tmp_path / "queue", "store_processed": False}
    options["control_folder"] = tmp_path / "control"
    with Connection("filesystem://", transport=Transport, transport_options=options) as connection:
        yield connection


def test_a_local_run_uses_it(settings):
    if settings.CELERY_BROKER_URL.startswith("filesystem:"):
        assert app.connection().transport_cls == "billing_site.local.queue:Transport"
        assert isinstance(app.connection().transport, Transport)


def test_many_who_begin_at_once_all_listen(broker, tmp_path):
    """kombu's own table of an exchange is empty for a moment, while the first writes it."""
    together = Barrier(4)

    def begin(name: str) -> None:
        together.wait()
        with broker.clone() as mine, mine.SimpleQueue(name) as queue:
            queue.put({"for": name})

    for turn in range(50):
        with ThreadPoolExecutor(4) as pool:
            assert [*pool.map(begin, [f"q{turn}"] * 4)] == [None] * 4
    assert len([*(tmp_path / "queue").glob("*.msg")]) == 200


def test_who_reads_while_others_write_finds_every_message_once_and_whole(broker):
    """kombu's own channel fails this within some hundreds of messages."""
    writers, each = 3, 1000
    long = "x" * 50_000

    def write(number: int) -> None:
        with broker.clone() as mine, mine.SimpleQueue("q") as queue:
            for place in range(each):
                queue.put({"number": number * each + place, "long": long})

    threads = [Thread(target=write, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    found: list[int] = []
    with broker.SimpleQueue("q") as queue:
        while len(found) < writers * each:
            try:
                message = queue.get(timeout=10)
            except Empty:
                break
            assert message.payload["long"] == long
            found.append(message.payload["number"])
            message.ack()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(writers * each))
