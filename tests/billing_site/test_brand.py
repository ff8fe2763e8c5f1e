"""The brand by settings: its stylesheet, its logo, and what is refused at the start."""

import pytest
from django.conf import settings as conf
from django.test import Client

from billing_site import brand as pages
from core import colors
from core.brand import brand
from core.letters import Notice, render

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><rect width="8" height="8"/></svg>'


def problems() -> list[str]:
    return [str(message.msg) for message in pages.check_brand(None)]


def test_contrast_is_that_of_wcag():
    assert colors.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert colors.contrast("#777777", "#777777") == 1
    # WebAIM's checker: 4.48 and 4.54, the two greys beside the limit.
    assert round(colors.contrast("#777777", "#ffffff"), 2) == 4.48
    assert round(colors.contrast("#767676", "#ffffff"), 2) == 4.54


def test_the_default_brand_needs_no_stylesheet_and_can_be_read():
    assert (brand().accent, brand().accent_dark, brand().stylesheet, brand().logo) == ("#0b5d6b", "#6cc9d6", "", "")
    assert problems() == []


def test_a_brand_of_its_own_has_a_stylesheet_that_is_cached_until_it_changes(settings):
    settings.SITE_COLOR, settings.SITE_COLOR_DARK = "#7a2e63", "#e79fd0"
    url = brand().stylesheet
    answer = Client().get(url)
    assert answer.content == b":root{--brand:#7a2e63;--brand-dark:#e79fd0}\n"
    assert answer["Content-Type"] == "text/css; charset=utf-8"
    assert "immutable" in answer["Cache-Control"]
    settings.SITE_COLOR = "#2a4bc9"
    assert brand().stylesheet != url


@pytest.mark.parametrize("color", ["#000000", "#0b5d6b", "#7a2e63", "#2a4bc9", "#b00020", "#ffffff"])
def test_a_colour_is_lightened_until_it_can_be_read_on_dark_ground(settings, color):
    settings.SITE_COLOR, settings.SITE_COLOR_DARK = color, ""
    assert colors.contrast(brand().accent_dark, colors.DARK_GROUND) >= 4.5


def test_a_colour_that_is_hard_to_read_is_refused_by_name(settings):
    settings.SITE_COLOR, settings.SITE_COLOR_DARK = "#777777", "#0b5d6b"
    first, second = problems()
    assert first.startswith("SITE_COLOR is #777777")
    assert second.startswith("SITE_COLOR_DARK is #0b5d6b: its contrast on #151c1f is 2.")


def test_the_logo_is_a_file_that_is_served(settings, tmp_path):
    file = tmp_path / "logo.SVG"
    file.write_text(SVG)
    settings.SITE_LOGO = str(file)
    assert problems() == []
    answer = Client().get(brand().logo)
    assert answer.getvalue().decode() == SVG
    assert answer["Content-Type"] == "image/svg+xml"
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_a_logo_that_cannot_be_shown_is_refused(settings, tmp_path):
    page, large = tmp_path / "logo.html", tmp_path / "logo.png"
    page.write_text("<script>alert(1)</script>")
    large.write_bytes(b"x" * 100_001)
    said = {page: "ends in none of .svg, .png, .webp", large: "has more than 100000 bytes"}
    said[tmp_path / "none.svg"] = "cannot be read: No such file or directory"
    for file, words in said.items():
        settings.SITE_LOGO = str(file)
        assert problems() == [f"SITE_LOGO {words}."]
    settings.SITE_LOGO = str(page)
    assert Client().get("/brand/logo").status_code == 404


def test_mails_have_the_colours_of_the_brand(settings):
    settings.SITE_COLOR, settings.SITE_COLOR_DARK = "#7a2e63", "#e79fd0"
    page = render(Notice(title="A", sentences=["B."], button="C", url="https://x.example/"), name="Eve").html
    assert "background:#7a2e63" in page
    assert "#e79fd0 !important" in page
    assert conf.DEFAULT_SITE_COLOR not in page
