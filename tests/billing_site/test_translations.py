"""Every string that is marked for translation has its Russian, read from the source as it is now."""

import ast
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from babel.messages import extract, pofile
from babel.messages.catalog import Catalog, Message
from django.utils.translation.template import templatize

ROOT = Path(__file__).parents[2]
CODE = ("accounts", "billing_site", "core", "events", "ledger", "payments", "subscriptions")
KEYWORDS = dict.fromkeys(("gettext", "gettext_lazy", "gettext_noop", "_")) | dict.fromkeys(
    ("ngettext", "ngettext_lazy"), (1, 2)
)
# A call as Django writes it into the Python it makes of a template, with its literals.
CALL = re.compile(r"""\b(n?gettext|_)\(((?:u?'(?:[^'\\]|\\.)*'|u?"(?:[^"\\]|\\.)*"|, ?)+)""")
PLACES = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w+\}")


def from_python() -> Iterator[tuple[str, Any]]:
    for folder in CODE:
        for path in (ROOT / folder).rglob("*.py"):
            for _, said, _, _ in extract.extract("python", BytesIO(path.read_bytes()), keywords=KEYWORDS):
                yield f"{path.relative_to(ROOT)}", said


def from_templates() -> Iterator[tuple[str, Any]]:
    """Django turns a template into something like Python; each call in it is read as the literal it is."""
    for path in [*(ROOT / "templates").rglob("*.html"), *(ROOT / "templates").rglob("*.txt")]:
        for name, call in CALL.findall(templatize(path.read_text())):
            said = ast.literal_eval(f"({call.rstrip(', ')},)")
            yield f"{path.relative_to(ROOT)}", said[:2] if name == "ngettext" else said[0]


@pytest.fixture(scope="module")
def russian() -> Catalog:
    with (ROOT / "locale/ru/LC_MESSAGES/django.po").open("rb") as source:
        return pofile.read_po(source, locale="ru")


def messages(catalog: Catalog) -> list[Message]:
    return [message for message in catalog if message.id]


def test_every_string_of_the_source_has_its_russian(russian):
    found = [*from_python(), *from_templates()]
    assert len(found) > 300
    missing = {f"{where}: {said!r}" for where, said in found if said and said not in russian}
    assert missing == set()


def said_by(message: Message) -> list[str]:
    return [message.string or ""] if isinstance(message.string, str | None) else list(message.string)


def text_of(message: Message) -> str:
    """The original; of two forms the one for many."""
    return message.id if isinstance(message.id, str) else message.id[-1]


def test_nothing_is_left_empty_or_guessed(russian):
    assert [message.id for message in messages(russian) if not all(said_by(message)) or message.fuzzy] == []


def test_plurals_have_the_three_forms_of_russian(russian):
    assert russian.num_plurals == 3
    assert {len(said_by(message)) for message in messages(russian) if message.pluralizable} == {3}


def places(text: str) -> list[str]:
    return sorted(PLACES.findall(text))


def test_every_translation_has_the_places_of_its_original(russian):
    pairs = [(text_of(message), said) for message in messages(russian) for said in said_by(message)]
    assert [pair for pair in pairs if places(pair[0]) != places(pair[1])] == []


def test_a_russian_sentence_that_ends_in_a_date_adds_no_full_stop(russian):
    """The date brings its own: «21 ноября 2026 г.»."""
    pairs = [(text_of(message), said) for message in messages(russian) for said in said_by(message)]
    assert [said for _, said in pairs if "%(day)s." in said] == []
    ending = [said for text, said in pairs if text.endswith("%(day)s.") and "%(day)s" in said]
    assert len(ending) > 3
    assert [said for said in ending if said.endswith("%(day)s.")] == []


def test_no_template_puts_a_full_stop_behind_a_date():
    texts = {path: path.read_text() for path in (ROOT / "templates").rglob("*.html")}
    assert [path for path, text in texts.items() if re.search(r"\|day\s*}}\.", text)] == []


def test_no_translation_is_kept_for_a_string_that_is_gone(russian):
    used = {said if isinstance(said, str) else said[0] for _, said in (*from_python(), *from_templates()) if said}
    kept = {message.id if isinstance(message.id, str) else message.id[0] for message in messages(russian)}
    assert kept - used == set()
