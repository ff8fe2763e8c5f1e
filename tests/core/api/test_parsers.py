"""The parser turns any bytes into safe JSON or an error that says what is wrong."""

import time
from decimal import Decimal

import pytest
from django.test import Client
from rest_framework.exceptions import ParseError

from core.api.parsers import MAX_DEPTH, loads


def send(path: str, body: bytes, content_type: str = "application/json"):
    """POST exactly these bytes."""
    return Client(raise_request_exception=False).generic("POST", path, body, content_type)


HOSTILE = {
    "nothing but a space": b" ",
    "cut short": b'{"a": 1',
    "a trailing comma": b'{"a": 1,}',
    "two values in lines": b'{"a": 1}\n{"a": 2}',
    "a byte order mark": b'\xef\xbb\xbf{"a": 1}',
    "utf-16": '{"a": 1}'.encode("utf-16"),
    "latin-1": '{"a": "é"}'.encode("latin-1"),
    "an overlong utf-8": b'{"a": "\xc0\xaf"}',
    "a raw control character": b'{"a": "\x01"}',
    "a raw NUL": b'{"a": "\x00"}',
    "an escaped NUL": rb'{"a": "\u0000"}',
    "an escaped NUL in a key": rb'{"\u0000": 1}',
    "an escaped NUL deep down": rb'{"a": [{"b": ["\u0000"]}]}',
    "half a surrogate pair": rb'{"a": "\ud800"}',
    "the other half": rb'{"a": "\udfff"}',
    "a surrogate in utf-8": b'{"a": "\xed\xa0\x80"}',
    "the same key twice": b'{"amount": 1, "amount": 2}',
    "the same key twice, deep": b'{"a": [{"b": 1, "b": 1}]}',
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": Infinity}',
    "-Infinity": b'{"a": -Infinity}',
    "an exponent beyond all bounds": b'{"a": 1e9999999999999999999}',
    "5000 digits": b'{"a": ' + b"9" * 5000 + b"}",
    "5000 decimals": b'{"a": 0.' + b"3" * 5000 + b"}",
    "1e400": b'{"a": 1e400}',
    "1e-400": b'{"a": 1e-400}',
    "1e999999999": b'{"a": 1e999999999}',
    "a leading plus": b'{"a": +1}',
    "a leading zero": b'{"a": 01}',
    "hexadecimal": b'{"a": 0x10}',
    "an underscore": b'{"a": 1_000}',
    "33 deep": b"[" * 33 + b"]" * 33,
    "5000 deep": b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "5000 deep and never closed": b"[" * 5000,
    "100000 objects deep": b'{"a":' * 40000,
    "single quotes": b"{'a': 1}",
    "a comment": b'{"a": 1} // no',
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_unsafe_json_is_a_parse_error(body: bytes):
    with pytest.raises(ParseError):
        loads(body)


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_unsafe_json_returns_a_problem(db, body: bytes):
    answer = send("/api/auth/token", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] in ("malformed", "validation_failed")


def test_decimals_are_exact():
    # 0.1 + 0.2 as floats is 0.30000000000000004; as sent they add up.
    read = loads(b'{"a": 0.1, "b": 0.2, "c": 1342.00, "d": 1e2, "e": 7}')
    assert read["a"] + read["b"] == Decimal("0.3")
    assert str(read["c"]) == "1342.00"
    assert read["d"] == Decimal(100)
    assert type(read["e"]) is int


def test_32_levels_are_allowed_and_brackets_in_strings_do_not_count():
    assert loads(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    text = "[{" * 500 + '\\"'
    assert loads(b'{"a": "' + text.encode() + b'"}') == {"a": "[{" * 500 + '"'}


def test_escaped_surrogate_pairs_are_ordinary_text():
    assert loads(rb'{"a": "\ud83d\ude00"}') == {"a": "😀"}


def test_the_depth_is_measured_in_linear_time():
    began = time.monotonic()
    with pytest.raises(ParseError):
        loads(b'"' + b"\\" * 250_001)
    with pytest.raises(ParseError):
        loads(b'["' * 100_000)
    assert time.monotonic() - began < 10


def test_a_body_over_the_limit_is_413_and_names_the_limit(db):
    body = b'{"username": "' + b"a" * 300_000 + b'"}'
    answer = send("/api/auth/token", body, content_type="application/json")
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"
    assert "262144" in answer.json()["detail"]


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/json; charset=utf-16",
        "application/json; charset=zlib",
        'application/json; charset="utf-7"',
        "nonsense",
    ],
)
def test_an_unsupported_content_type_is_415(db, content_type: str):
    answer = send("/api/auth/token", b'{"username": "a"}', content_type=content_type)
    assert answer.status_code == 415
    assert answer.json()["code"] == "unsupported_media_type"


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"12", b"true", b'[{"username": "a"}]'])
def test_a_body_that_is_not_an_object_is_a_validation_error(db, body: bytes):
    answer = send("/api/auth/register", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["code"] == "validation_failed"
