"""HTTP whose whole answer has a deadline. The time-outs of `requests` are for each read, however many there are."""

import io
import time
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, ReadTimeoutError

from payments.gateways import guard

# The part of the time left that connecting may take, and the most of it in seconds. The rest is for the answer.
CONNECTING, LONGEST_CONNECTING = 0.3, 3.0


class TooLong(requests.RequestException):
    """The body of the answer is longer than anything that the gateway sends."""


class DeadlineAdapter(HTTPAdapter):
    """Waits for an answer, with its body, for at most `guard.time_left()` seconds, whatever time-out is asked for.

    Raises requests.Timeout after that, and TooLong for a body of more than `longest` bytes.
    """

    def __init__(self, *, longest: int) -> None:
        self._longest = longest
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **named: Any) -> requests.Response:
        """Send a request and return its response, whose body has been read."""
        seconds = guard.time_left()
        end = time.monotonic() + seconds
        to_connect = min(LONGEST_CONNECTING, seconds * CONNECTING)
        named |= {"stream": True, "timeout": (to_connect, seconds - to_connect)}
        response = super().send(request, *args, **named)
        try:
            body = _read(response, end=end, longest=self._longest)
        except ReadTimeoutError as error:
            raise requests.ReadTimeout(error, request=request) from error
        except HTTPError as error:
            raise requests.ConnectionError(error, request=request) from error
        finally:
            # Gives the connection back if the body was read to its end, and closes it otherwise.
            response.close()
        response.raw = io.BytesIO(body)
        return response


def session(*, longest: int) -> requests.Session:
    """Return a session that keeps its connections. Make one for each thread."""
    made = requests.Session()
    for scheme in ("https://", "http://"):
        made.mount(scheme, DeadlineAdapter(longest=longest))
    return made


def _read(response: requests.Response, *, end: float, longest: int) -> bytes:
    """Return the decoded body; raise requests.Timeout if it is not complete by `end`, on time.monotonic's clock."""
    body = b""
    while part := response.raw.read1(64 * 1024, decode_content=True):
        body += part
        if len(body) > longest:
            raise TooLong(f"The body is longer than {longest} bytes.")
        if time.monotonic() > end:
            raise requests.ReadTimeout("The body did not come in time.")
    return body
