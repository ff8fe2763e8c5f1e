"""Let Lighthouse look at ten pages of a running demo: 100 of 100 for each of its four categories, or it fails.

`python -m tests.lighthouse http://127.0.0.1:8000` needs Chromium, and Node.js 18.20 or newer with npm, which fetches
Lighthouse at the first run. `make run` starts the demo. The reports are in var/lighthouse/.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests import tools
from tests.browser.visit import launch
from tests.screenshots import entered

# Pinned: another version has other rules. 13 needs a newer Node.js than Debian has.
LIGHTHOUSE = "lighthouse@12.8.2"
FOLDER = Path("var/lighthouse")
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
STRANGER = ["/", "/ru/", "/pricing/", "/signup/", "/login/"]
ANNA = [
    "/account/",
    "/account/transactions/",
    "/account/settings/",
    "/topup/?amount=25.00",
    "/checkout/premium/?currency=EUR",
]
TRIES = 3
NEEDS = "Lighthouse needs Node.js 18.20 or newer with npm (apt-get install nodejs npm), and npm's registry once.\n"


def cookie_of(site: str, name: str) -> str:
    """Log the person with this name of the demo in, and return the header that keeps the session."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        context = entered(browser, site, name, 1280, "light")
        cookies = [f"{each['name']}={each['value']}" for each in context.cookies()]
        browser.close()
    return "; ".join(cookies)


def scores(site: str, address: str, cookie: str) -> dict[str, int]:
    """Return what Lighthouse gives to a page in each category, of 100, and keep its report."""
    report = FOLDER / f"{address.strip('/').replace('/', '-').partition('?')[0] or 'home'}.json"
    command = [
        "npx", "--yes", LIGHTHOUSE, site + address, "--quiet", "--output=json", f"--output-path={report}",
        f"--only-categories={','.join(CATEGORIES)}", "--chrome-flags=--headless=new --no-sandbox --disable-gpu",
    ]  # fmt: skip
    if cookie:
        command += ["--extra-headers", json.dumps({"Cookie": cookie})]
    # Chrome sometimes loses the trace of a page; Lighthouse ends then, gives no score, and asks to be run again.
    for tries_left in reversed(range(TRIES)):
        ended = subprocess.run(command, check=not tries_left, env=os.environ | {"CHROME_PATH": str(tools.chromium())})
        if ended.returncode == 0:
            break
    found = json.loads(report.read_text())["categories"]
    return {name: round(100 * (found[name]["score"] or 0)) for name in CATEGORIES}


def main(site: str) -> int:
    """Look at all pages, write a line for each, and return 1 if one is below 100."""
    if not (shutil.which("npx") and shutil.which("node")):
        sys.stderr.write(NEEDS)
        return 2
    FOLDER.mkdir(parents=True, exist_ok=True)
    cookie, is_perfect = cookie_of(site, "anna"), True
    for addresses, header in ((STRANGER, ""), (ANNA, cookie)):
        for address in addresses:
            found = scores(site, address, header)
            is_perfect = is_perfect and set(found.values()) == {100}
            sys.stdout.write(f"{address:35} {'  '.join(f'{name} {score}' for name, score in found.items())}\n")
            sys.stdout.flush()
    return 0 if is_perfect else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
