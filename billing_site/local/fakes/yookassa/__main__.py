"""Run the fake YooKassa as a process of its own, until SIGTERM or Ctrl-C."""

import argparse

from billing_site.local.fakes.yookassa import NETWORK, SECRET_KEY, SHOP_ID
from billing_site.local.fakes.yookassa.api import FakeYooKassa


def main() -> None:
    """Serve, and print the settings with which a site uses it."""
    parser = argparse.ArgumentParser(description="A fake of YooKassa on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=8766)
    parser.add_argument("--webhook-url", default="", help="where notifications go: <site>/webhooks/yookassa/")
    options = parser.parse_args()
    fake = FakeYooKassa(port=options.port, webhook_url=options.webhook_url)
    own = f"YOOKASSA_SHOP_ID={SHOP_ID} YOOKASSA_SECRET_KEY={SECRET_KEY} YOOKASSA_NETWORKS={NETWORK}"
    keys = f"YOOKASSA_API_BASE={fake.url} {own}"
    print(f"The fake YooKassa listens on {fake.url}. {keys}", flush=True)
    fake.serve()


if __name__ == "__main__":
    main()
