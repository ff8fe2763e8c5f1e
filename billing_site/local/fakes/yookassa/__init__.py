"""A stateful fake of the part of YooKassa's API that our gateway uses. `python -m billing_site.local.fakes.yookassa`."""

# The shop and its key, which are public, and the network from which its notifications come.
SHOP_ID = "100500"
SECRET_KEY = "test_fake_key"
NETWORK = "127.0.0.1/32"
