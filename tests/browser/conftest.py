"""A real browser against a live server. Pages are visited through `Visit`, which looks for what no page may have."""

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
    """The site with the demo's plans on sale; the gateway's page is on it too."""
    settings.SITE_URL = live_server.url
    plans.put_on_sale(now=datetime.now(UTC))
    return live_server.url


@pytest.fixture
def visit(chromium: Browser, site: str) -> Iterator[Any]:
    """Open a browser window: `visit(user, locale=..., width=...)` gives a Visit, signed in as `user`."""
    open_ones: list[BrowserContext] = []

    def visit(user: User | None = None, *, width: int = 1280, **options: Any) -> Visit:
        context = chromium.new_context(viewport={"width": width, "height": 900}, base_url=site, **options)
        open_ones.append(context)
        if user is not None:
            client = Client()
            client.force_login(user)
            context.add_cookies([{"name": "session", "value": client.cookies["session"].value, "url": site}])
        return Visit(context.new_page(), site)

    yield visit
    for context in open_ones:
        context.close()
