"""Take pictures of the pages of a running demo, and put them all on one sheet.

`python -m tests.screenshots http://127.0.0.1:8000` writes var/screenshots/<page>-<width>-<scheme>-<language>.png and
var/screenshots/sheet.png. `make run` starts the demo.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser.visit import launch

Scheme = Literal["light", "dark"]
FOLDER = Path("var/screenshots")
STRANGER = {
    "home": "/",
    "plans": "/pricing/",
    "sign-up": "/signup/",
    "log-in": "/login/",
    "not-found": "/no-such-page/",
}
ANNA = {
    "overview": "/account/", "transactions": "/account/transactions/", "top-up": "/topup/?amount=25.00",
    "checkout": "/checkout/premium/", "plans-held": "/pricing/", "settings": "/account/settings/",
    "automatic": "/account/automatic-payments/", "payments": "/account/payments/", "statements": "/account/statements/",
    "email": "/email/",
    "checkout-balance": "/checkout/hourly/?currency=EUR",
}  # fmt: skip
STAFF = {
    "desk-today": "/admin/", "desk-search": "/admin/search/?q=anna", "desk-payments": "/admin/payments/payment/",
    "desk-figures": "/admin/figures/",
}  # fmt: skip
PEOPLE = {"": STRANGER, "anna": ANNA, "admin": STAFF}
# Width in pixels, scheme, and prefix of the language.
VIEWS: list[tuple[int, Scheme, str]] = [
    (1280, "light", ""),
    (1280, "dark", ""),
    (390, "light", ""),
    (390, "dark", "/ru"),
]
SHEET = """<!doctype html><meta charset="utf-8"><style>
body { margin: 16px; background: #8a8f90; font: 600 15px system-ui; display: flex; flex-wrap: wrap; gap: 16px }
figure { margin: 0 } img { display: block; width: %dpx; max-height: 720px; object-fit: cover; object-position: top }
</style>"""


def entered(browser: Browser, site: str, name: str, width: int, scheme: Scheme) -> BrowserContext:
    """Return a window in which the person with this name of the demo is logged in; nobody, if it is empty."""
    context = browser.new_context(base_url=site, viewport={"width": width, "height": 850}, color_scheme=scheme)
    if name:
        page = context.new_page()
        page.goto("/login/")
        page.fill("[name=login]", name)
        page.fill("[name=password]", f"{name}-likes-billing")
        page.press("[name=password]", "Enter")
        page.wait_for_url(lambda address: "/login/" not in address)
    return context


def take(browser: Browser, site: str) -> Iterator[Path]:
    """Take a picture of each page in each view, and yield its file."""
    for width, scheme, prefix in VIEWS:
        for name, pages in PEOPLE.items():
            page = entered(browser, site, name, width, scheme).new_page()
            for title, address in pages.items():
                page.goto(address if address.startswith("/admin/") else prefix + address)
                file = FOLDER / f"{title}-{width}-{scheme}{prefix.replace('/', '-')}.png"
                page.screenshot(path=file, full_page=True)
                yield file


def main(site: str) -> None:
    """Take all pictures and write the sheet."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        files = list(take(browser, site))
        sheet = FOLDER / "sheet.html"
        figures = [f'<figure>{file.stem}<img src="{file.name}" alt=""></figure>' for file in files]
        sheet.write_text(SHEET % 320 + "".join(figures))
        page = browser.new_page(viewport={"width": 2050, "height": 1200})
        page.goto(sheet.resolve().as_uri())
        page.screenshot(path=FOLDER / "sheet.png", full_page=True)
    sys.stdout.write(f"{len(files)} pictures and {FOLDER}/sheet.png\n")


if __name__ == "__main__":
    main(sys.argv[1])
