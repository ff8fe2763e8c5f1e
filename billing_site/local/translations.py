"""Compile the translations with Babel, so that gettext need not be installed."""

from babel.messages import mofile, pofile

from billing_site.local.paths import ROOT

LOCALE = ROOT / "locale"


def compile_all() -> None:
    """Compile each .po file whose .mo file is missing or older, and replace that in one step."""
    for source in LOCALE.glob("*/LC_MESSAGES/*.po"):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        fresh = target.with_suffix(".mo.new")
        with source.open("rb") as text, fresh.open("wb") as compiled:
            mofile.write_mo(compiled, pofile.read_po(text, locale=source.parent.parent.name))
        fresh.rename(target)


if __name__ == "__main__":
    compile_all()
