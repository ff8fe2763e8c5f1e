"""Clients that are silent in the middle of a request hold no thread of the web server for long."""

import socket

import pytest
import requests

from tests.flows.site import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

HEADER = b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Half: "
BODY = b"POST /api/token HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"


@pytest.mark.parametrize("start", [HEADER, BODY], ids=["header", "body"])
def test_the_site_answers_again_while_they_are_still_connected(site, start):
    site.environment |= {"WEB_THREADS": "2"}
    site.start_web()
    said = start % site.url.removeprefix("http://").encode() if b"%s" in start else start
    clients = [socket.create_connection(("127.0.0.1", site.port)) for _ in range(4)]
    try:
        for client in clients:
            client.sendall(said)
        wait_for(site.answers, "the web server, which silent clients keep busy")
        assert requests.get(f"{site.url}/livez", timeout=60).status_code == 200
    finally:
        for client in clients:
            client.close()
    assert "Traceback" not in site.log("web")
