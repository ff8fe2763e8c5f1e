"""A stateful fake of the part of YooKassa's API that we use: `python -m billing_site.local.fakes.yookassa`."""

# The shop and its key, which are public, and the network from which its notifications come.
SHOP_ID = "100500"
SECRET_KEY = "test_" + "fake" * 6
NETWORK = "127.0.0.1/32"
