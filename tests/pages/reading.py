"""Reads pages as a person does: words without tags, and the fields of forms. No test lives here."""

import re
from html import unescape
from typing import Any

SPACES = re.compile(r"[ \n\t\r]+")


def words(response: Any) -> str:
    """The text of <main>, single-spaced; no-break spaces stay what they are."""
    html = response.content.decode()
    main = re.search(r"<main.*?</main>", html, re.DOTALL)
    text = re.sub(r"<[^>]+>", " ", main.group() if main else html)
    return re.sub(r" ([.,:])", r"\1", SPACES.sub(" ", unescape(text)))


def hidden(response: Any) -> dict[str, str]:
    """The hidden fields of the page's forms, all but Django's own."""
    found = re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)"', response.content.decode())
    return dict(found)


def heading(response: Any) -> str:
    match = re.search(r"<h1[^>]*>(.*?)</h1>", response.content.decode(), re.DOTALL)
    return SPACES.sub(" ", unescape(re.sub(r"<[^>]+>", "", match.group(1)))).strip() if match else ""
