"""Pages show the brand of the site and who sells on it."""

import pytest

pytestmark = pytest.mark.django_db


def test_the_footer_names_the_seller_and_leads_to_terms_and_mail(client, settings):
    settings.SELLER_NAME, settings.SELLER_ADDRESS, settings.SELLER_TAX_ID = "Acme Ltd", "1 Sample Lane", "VAT DE1"
    settings.SELLER_EMAIL = "help@acme.example"
    settings.TERMS_URL = "https://acme.example/terms"
    footer = client.get("/pricing/").content.decode().split("<footer", 1)[1]
    assert "<p>Acme Ltd, 1 Sample Lane · VAT DE1</p>" in footer
    assert '<a href="mailto:help@acme.example">' in footer
    assert '<a href="https://acme.example/terms">' in footer


def test_a_colour_of_the_site_is_a_stylesheet_of_its_own(client, settings):
    assert "brand.css" not in client.get("/pricing/").content.decode()
    settings.SITE_COLOR = "#7a2e63"
    assert "brand.css" in client.get("/pricing/").content.decode()
    assert "#7a2e63" in client.get("/brand.css").content.decode()


@pytest.mark.parametrize(
    ("cookie", "theme"), [("dark", ' data-theme="dark"'), ("light", ' data-theme="light"'), ("x", "")]
)
def test_the_chosen_theme_is_written_by_the_server(client, cookie, theme):
    client.cookies["theme"] = cookie
    assert f'<html lang="en"{theme}>' in client.get("/pricing/").content.decode()
