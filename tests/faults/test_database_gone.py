"""The database goes away in the middle of a request: 503, never 500, and the key of the request is free at once.

The server ends the session of the request, which is what a restart does, at each of the request's statements in turn.
"""

import threading

import pytest
from django.db import connection, connections
from django.test import Client

from tests.core.api.conftest import logged_in, test_urls

__all__ = ["test_urls"]

pytestmark = pytest.mark.django_db(transaction=True)


class Restart:
    """Ends this thread's database session before its `turn`th statement from now. Counts statements."""

    def __init__(self, turn: int) -> None:
        self.turn, self.seen = turn, 0

    def __call__(self, execute, sql, params, many, context):
        self.seen += 1
        if self.seen == self.turn:
            end_session(connection.connection.info.backend_pid)
        return execute(sql, params, many, context)


def end_session(pid: int) -> None:
    """End a session of the database from another one, and wait until it is gone."""

    def run() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
            assert cursor.fetchone() == (True,)
        connections.close_all()

    other = threading.Thread(target=run)
    other.start()
    other.join()


def at_each_statement(send, answers, repeat=None):
    """Send the request again and again, with the session ended at each of its statements, until none is left.

    `answers` are the statuses that are right, `repeat` is called after each 503. Return how many statements there were.
    """
    for turn in range(1, 200):
        restart = Restart(turn)
        with connection.execute_wrapper(restart):
            status = send(turn)
        connection.close()
        if repeat and status == 503:
            repeat(turn)
        assert status in answers, f"{status} when the session ended at statement {turn}"
        if restart.seen < turn:
            return turn - 1
    raise AssertionError("There is no end of it.")


def test_api_requests_answer_503(alice):
    client = logged_in(alice)
    client.raise_request_exception = False

    def wallet(turn: int) -> int:
        answer = client.get("/api/wallet")
        if answer.status_code == 503:
            assert answer["Content-Type"] == "application/problem+json"
            assert answer.json()["code"] == "unavailable"
            assert answer["Retry-After"] == "2"
        return answer.status_code

    assert at_each_statement(wallet, {200, 503}) >= 2


def test_pages_answer_503_wherever_the_session_is_read_or_saved(alice, settings, caplog):
    settings.SESSION_SAVE_EVERY_REQUEST = True
    client = Client(raise_request_exception=False)
    client.force_login(alice)

    def settings_page(turn: int) -> int:
        caplog.clear()
        answer = client.get("/account/settings/")
        if answer.status_code == 503:
            assert "text/html" in answer["Content-Type"]
            assert answer["Retry-After"] == "2"
            assert answer["X-Request-Id"]
        assert finished(caplog) == [answer.status_code], f"the log after statement {turn}"
        return answer.status_code

    assert at_each_statement(settings_page, {200, 503}) >= 2


def finished(caplog) -> list[int]:
    """Return the statuses of the lines that say that a request was answered."""
    events = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    return [event["code"] for event in events if event["event"] in ("request_finished", "request_failed")]


def test_a_log_in_answers_503_and_works_afterwards(alice):
    client = Client(raise_request_exception=False)

    def log_in(turn: int) -> int:
        return client.post("/login/", {"login": "alice", "password": "correct horse battery staple"}).status_code

    at_each_statement(log_in, {200, 302, 503})
    client.logout()
    assert log_in(0) == 302


def test_the_key_of_a_request_is_free_at_once(test_urls, alice):
    client = logged_in(alice)
    client.raise_request_exception = False

    def pay(turn: int) -> int:
        return client.post("/api/test/pay", {"amount": turn}, HTTP_IDEMPOTENCY_KEY=f"k{turn}").status_code

    def repeat(turn: int) -> None:
        assert pay(turn) == 201

    # The user, the claim and the stored answer.
    assert at_each_statement(pay, {201, 503}, repeat) == 3
