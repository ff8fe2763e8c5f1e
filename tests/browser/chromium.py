"""The one browser of a test run: pages and flows share it. No test lives here."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.visit import launch


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The Chromium of tests/tools.py. Playwright's loop runs in this thread, which Django takes for async code."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = launch(playwright)
        yield browser
        browser.close()
