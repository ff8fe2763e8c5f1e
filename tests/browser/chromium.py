"""The browser that all tests of a run share."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.visit import launch


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Start Chromium. Django takes Playwright's event loop in this thread for async code and must allow it."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = launch(playwright)
        yield browser
        browser.close()
