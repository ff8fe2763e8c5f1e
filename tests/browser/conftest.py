"""Fixtures for a real browser against a live server. Tests open pages through `Visit`, which checks each of them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, BrowserContext
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from billing_site.demo import plans
from tests.browser.visit import Visit


@pytest.fixture
def site(live_server: LiveServer, settings: Any) -> str:
    """Run the site, with the sandbox's pages and the demo's plans on sale; return its URL."""
    settings.SITE_URL = live_server.url
    plans.put_on_sale(now=datetime.now(UTC))
    return live_server.url


@pytest.fixture
def visit(chromium: Browser, site: str) -> Iterator[Any]:
    """Return a function that opens a window: `visit(user, locale=..., width=...)` is a Visit signed in as `user`."""
    contexts: list[BrowserContext] = []

    def visit(user: User | None = None, *, width: int = 1280, **options: Any) -> Visit:
        context = chromium.new_context(viewport={"width": width, "height": 900}, base_url=site, **options)
        contexts.append(context)
        if user is not None:
            client = Client()
            client.force_login(user)
            context.add_cookies([{"name": "session", "value": client.cookies["session"].value, "url": site}])
        return Visit(context.new_page(), site)

    yield visit
    for context in contexts:
        context.close()
