"""Run the fake Stripe as a process of its own: `python -m billing_site.local.fakes.stripe --port 8012`."""

import argparse

from billing_site.local.fakes.stripe import KEY, WEBHOOK_SECRET
from billing_site.local.fakes.stripe.api import FakeStripe


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(description="A fake of Stripe's API on 127.0.0.1, for trying and testing.")
    parser.add_argument("--port", type=int, default=8012, help="default 8012")
    parser.add_argument(
        "--webhook-url", default="", help="where webhooks go, such as http://127.0.0.1:8000/webhooks/stripe/"
    )
    options = parser.parse_args()
    fake = FakeStripe(port=options.port, webhook_url=options.webhook_url)
    keys = f"STRIPE_API_BASE={fake.url} STRIPE_SECRET_KEY={KEY} STRIPE_WEBHOOK_SECRET={WEBHOOK_SECRET}"
    print(f"The fake Stripe listens on {fake.url}. {keys}", flush=True)
    fake.serve()


if __name__ == "__main__":
    main()
