"""A browser window that checks pages for accessibility, overflow, console messages and foreign requests."""

from collections.abc import Sequence
from pathlib import Path

import axe_playwright_python
from playwright.sync_api import Browser, Page, Playwright

from tests import tools

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Rules whose result may depend on colours and width. All others give the same result for the same HTML.
VISIBLE = ["color-contrast", "link-in-text-block", "target-size", "scrollable-region-focusable"]
# Colour scheme and width of every check of a page. Only the first one runs all the rules.
VIEWS = [("light", 320), ("dark", 320), ("dark", 1280), ("light", 1280)]
# A common phone, a tablet both ways up: only whether the page fits.
OTHER_WIDTHS = (390, 768, 1024)
RUN = """async ([type, values]) => {
    const found = await axe.run(document, {runOnly: {type, values}, preload: false});
    return found.violations.map(each => each.id + ': ' + each.nodes.map(node => node.target.join(' ')).join(', '));
}"""


def launch(playwright: Playwright) -> Browser:
    """Start the Chromium of this machine."""
    return playwright.chromium.launch(
        executable_path=tools.chromium(),
        args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
    )


class Visit:
    """One window. It records console messages and the requests that leave the site."""

    def __init__(self, page: Page, site: str) -> None:
        self.page, self.site = page, site
        self.console: list[str] = []
        self.elsewhere: list[str] = []
        page.on("console", lambda message: self.console.append(f"{page.url}: {message.text}"))
        page.on("pageerror", lambda error: self.console.append(f"{page.url}: {error}"))
        page.on("request", lambda request: self._note(request.url))

    def _note(self, url: str) -> None:
        if not url.startswith((self.site, "data:")):
            self.elsewhere.append(url)

    def to(self, address: str, *, expect: int = 200) -> Page:
        """Open the page and assert that its status is `expect`."""
        answer = self.page.goto(address)
        assert answer is not None
        assert answer.status == expect, f"{address}: {answer.status}"
        return self.page

    def heading(self) -> str:
        return self.page.locator("h1").first.inner_text()

    def faults(self) -> list[str]:
        """Return what is wrong with the current page in every view: accessibility violations and overflow."""
        self.page.wait_for_load_state()
        self.page.evaluate(AXE)
        found = []
        for scheme, width in VIEWS:
            self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            self.page.set_viewport_size({"width": width, "height": 900})
            if (wide := self._overflow()) > 0:
                found.append(f"{wide} px too wide at {width}")
            first = (scheme, width) == VIEWS[0]
            found += self.barriers("tag", [*WCAG, "best-practice"]) if first else self.barriers("rule", VISIBLE)
        page = self.page.url.removeprefix(self.site)
        return [*(f"{page}: {fault}" for fault in found), *self.overflows(OTHER_WIDTHS)]

    def overflows(self, widths: Sequence[int] = (VIEWS[0][1], *OTHER_WIDTHS, VIEWS[-1][1])) -> list[str]:
        """Return at which of the widths the current page is wider than the window."""
        found = []
        for width in widths:
            self.page.set_viewport_size({"width": width, "height": 900})
            if (wide := self._overflow()) > 0:
                found.append(f"{self.page.url.removeprefix(self.site)}: {wide} px too wide at {width}")
        return found

    def _overflow(self) -> int:
        """Return by how many pixels the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))

    def barriers(self, kind: str, values: list[str]) -> list[str]:
        """Return the violations that axe finds, by tags or by rules. AXE must have been evaluated in the page."""
        found: list[str] = self.page.evaluate(RUN, [kind, values])
        return found
