"""Celery's lines about a broker that is away become the two lines of an outage."""

import logging

import pytest

from billing_site import outages


@pytest.fixture
def broker(monkeypatch):
    own = outages.Outage("broker")
    monkeypatch.setattr(outages, "broker", own)
    return own


def record(message: str, *args: object) -> logging.LogRecord:
    return logging.LogRecord("celery", logging.ERROR, "", 0, message, args, None)


def test_each_try_to_reach_the_broker_is_told_once_as_an_outage(broker, monkeypatch):
    said = []
    monkeypatch.setattr(outages.log, "error", lambda event, **fields: said.append((event, fields["cause"])))
    monkeypatch.setattr(outages.log, "warning", lambda event, **fields: said.append((event, fields["server"])))
    lines = outages.BrokerLines()
    refused = ConnectionRefusedError("refused")
    for _ in range(3):
        assert not lines.filter(record("consumer: Cannot connect to %s: %s.\n%s\n", "redis://", refused, "Trying"))
    assert not lines.filter(record("%s (%r)", "consumer: Connection to broker lost. Trying again", refused))
    assert not lines.filter(record("Connected to %s", "redis://"))
    assert said == [("server_unreachable", "refused"), ("server_reachable_again", "broker")]


def test_other_lines_are_written(broker):
    assert outages.BrokerLines().filter(record("Task %s raised", "x"))
