"""Every translatable string in code and templates has a complete Russian translation."""

import ast
import re
from collections.abc import Iterator
from functools import cache
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
# A call with its literals in the Python-like text that Django makes of a template.
CALL = re.compile(r"""\b(n?gettext|_)\(((?:u?'(?:[^'\\]|\\.)*'|u?"(?:[^"\\]|\\.)*"|, ?)+)""")
PLACEHOLDERS = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w+\}")


@cache
def translatable() -> list[tuple[str, Any]]:
    """Return file and message of each translatable string in code and templates. Reading them takes seconds."""
    return [*from_python(), *from_templates()]


def from_python() -> Iterator[tuple[str, Any]]:
    """Yield file and message, a pair for a plural, of each translatable string in the code."""
    for folder in CODE:
        for path in (ROOT / folder).rglob("*.py"):
            for _, message, _, _ in extract.extract("python", BytesIO(path.read_bytes()), keywords=KEYWORDS):
                yield f"{path.relative_to(ROOT)}", message


def from_templates() -> Iterator[tuple[str, Any]]:
    """Yield file and message of each translatable string in the templates, which Django turns into Python first."""
    for path in [*(ROOT / "templates").rglob("*.html"), *(ROOT / "templates").rglob("*.txt")]:
        for name, call in CALL.findall(templatize(path.read_text())):
            literals = ast.literal_eval(f"({call.rstrip(', ')},)")
            yield f"{path.relative_to(ROOT)}", literals[:2] if name == "ngettext" else literals[0]


@pytest.fixture(scope="module")
def russian() -> Catalog:
    with (ROOT / "locale/ru/LC_MESSAGES/django.po").open("rb") as source:
        return pofile.read_po(source, locale="ru")


def messages(catalog: Catalog) -> list[Message]:
    return [message for message in catalog if message.id]


def test_every_string_has_a_russian_translation(russian):
    strings = translatable()
    assert len(strings) > 300
    missing = {f"{file}: {message!r}" for file, message in strings if message and message not in russian}
    assert missing == set()


def translations(message: Message) -> list[str]:
    """Return the translation of a message, or its plural forms."""
    return [message.string or ""] if isinstance(message.string, str | None) else list(message.string)


def text_of(message: Message) -> str:
    """Return the English text; of a plural the second form."""
    return message.id if isinstance(message.id, str) else message.id[-1]


def test_no_translation_is_empty_or_fuzzy(russian):
    assert [message.id for message in messages(russian) if not all(translations(message)) or message.fuzzy] == []


def test_plurals_have_three_forms(russian):
    assert russian.num_plurals == 3
    assert {len(translations(message)) for message in messages(russian) if message.pluralizable} == {3}


def placeholders(text: str) -> list[str]:
    """Return the placeholders of a text."""
    return sorted(PLACEHOLDERS.findall(text))


def test_every_translation_has_the_placeholders_of_its_original(russian):
    pairs = [(text_of(message), text) for message in messages(russian) for text in translations(message)]
    assert [pair for pair in pairs if placeholders(pair[0]) != placeholders(pair[1])] == []


def test_a_russian_sentence_that_ends_in_a_date_adds_no_full_stop(russian):
    """The date brings its own: «21 ноября 2026 г.»."""
    pairs = [(text_of(message), text) for message in messages(russian) for text in translations(message)]
    assert [text for _, text in pairs if "%(day)s." in text] == []
    ending = [text for original, text in pairs if original.endswith("%(day)s.") and "%(day)s" in text]
    assert len(ending) > 3
    assert [text for text in ending if text.endswith("%(day)s.")] == []


def test_no_template_puts_a_full_stop_behind_a_date():
    texts = {path: path.read_text() for path in (ROOT / "templates").rglob("*.html")}
    assert [path for path, text in texts.items() if re.search(r"\|day\s*}}\.", text)] == []


def test_no_translation_is_left_of_a_removed_string(russian):
    used = {text if isinstance(text, str) else text[0] for _, text in translatable() if text}
    kept = {message.id if isinstance(message.id, str) else message.id[0] for message in messages(russian)}
    assert kept - used == set()
