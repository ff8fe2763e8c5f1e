"""The brand and the seller: the name, colours and logo of the site, who sells, and links to the terms."""

from billing_site.settings.environment import BASE_DIR, env
from billing_site.settings.mail import ADDRESS

COLOR = "#[0-9a-fA-F]{6}"
# The heading of the start page, and what the site is for in a sentence, which search engines show below its name.
SITE_HEADLINE, SITE_HEADLINE_RU = env.str("SITE_HEADLINE"), env.str("SITE_HEADLINE_RU")
SITE_DESCRIPTION, SITE_DESCRIPTION_RU = env.str("SITE_DESCRIPTION"), env.str("SITE_DESCRIPTION_RU")

# The colours of static/app.css.
DEFAULT_SITE_COLOR, DEFAULT_SITE_COLOR_DARK = "#0b5d6b", "#6cc9d6"

# The accent on light and on dark ground. billing_site.brand checks that they can be read.
SITE_COLOR = env.word(
    "SITE_COLOR", COLOR, allowed="a colour as # and six hexadecimal digits", example="#0b5d6b",
    default=DEFAULT_SITE_COLOR,
)  # fmt: skip
SITE_COLOR_DARK = env.word(
    "SITE_COLOR_DARK", COLOR, allowed="a colour as # and six hexadecimal digits", example="#6cc9d6"
) or (DEFAULT_SITE_COLOR_DARK if SITE_COLOR == DEFAULT_SITE_COLOR else "")
# The file of the logo on pages: SVG, PNG or WebP. A relative path begins in the checkout.
_logo = env.str("SITE_LOGO")
SITE_LOGO = str(BASE_DIR / _logo) if _logo else ""

# At the foot of every page and mail, and on receipts. The name is by default SITE_NAME.
SELLER_NAME = env.str("SELLER_NAME")
SELLER_ADDRESS = env.str("SELLER_ADDRESS")
SELLER_EMAIL = env.word("SELLER_EMAIL", ADDRESS, allowed="an email address", example="help@example.com")
SELLER_LOGO_URL = env.url("SELLER_LOGO_URL", ("https",), example="https://example.com/logo.png")
SELLER_TAX_ID = env.str("SELLER_TAX_ID")
SELLER_TAX_LINE = env.str("SELLER_TAX_LINE")
TERMS_URL = env.url("TERMS_URL", ("https",), example="https://example.com/terms")
PRIVACY_URL = env.url("PRIVACY_URL", ("https",), example="https://example.com/privacy")
REFUND_URL = env.url("REFUND_URL", ("https",), example="https://example.com/refunds")
