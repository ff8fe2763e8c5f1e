"""Reading a request's raw body without ever holding more of it than allowed."""

from django.http import HttpRequest


class TooLarge(Exception):
    """More bytes than the limit, announced or sent."""


def raw_body(request: HttpRequest, *, largest: int) -> bytes:
    """Return the body as sent, byte for byte; raise TooLarge before anything of it is parsed."""
    announced = request.headers.get("Content-Length") or "0"
    if not announced.isdecimal() or int(announced) > largest:
        raise TooLarge
    body = request.read(largest + 1)
    if len(body) > largest:
        raise TooLarge
    return body
