"""Each class of the style sheet is used by a template, a script or code, so that the sheet does not grow by habit."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
CODE = ("accounts", "billing_site", "core", "events", "ledger", "payments", "subscriptions")


def classes() -> set[str]:
    """Return the classes that the selectors of static/app.css name."""
    css = re.sub(r"/\*.*?\*/|\"[^\"]*\"|url\([^)]*\)", "", (ROOT / "static/app.css").read_text(), flags=re.DOTALL)
    selectors = re.sub(r"\{[^{}]*\}", "{}", css)
    return set(re.findall(r"\.(-?[a-zA-Z_][\w-]*)", selectors))


def words() -> Iterator[str]:
    """Yield every word that stands where a class may: in class attributes, and in the strings of code and script."""
    for path in [*(ROOT / "templates").rglob("*.html"), ROOT / "static/app.js", *python()]:
        text = path.read_text()
        found = re.findall(r"""class="((?:[^"{]|\{\{.*?\}\}|\{%.*?%\})*)\"""", text) if path.suffix == ".html" else []
        found += re.findall(r"""with [^%]*?=["']([^"']*)["']""", text) if path.suffix == ".html" else []
        found += re.findall(r"{% block width %}(.*?){% endblock", text)
        found += re.findall(r"""["']([^"']*)["']""", text) if path.suffix == ".js" else []
        found += strings(text) if path.suffix == ".py" else []
        for each in found:
            yield from re.findall(r"[\w-]+", each)


def strings(code: str) -> Iterator[str]:
    """Yield the strings of Python code; an apostrophe in a comment is none."""
    nodes = ast.walk(ast.parse(code))
    return (node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


def python() -> Iterator[Path]:
    for app in CODE:
        yield from (ROOT / app).rglob("*.py")


def test_every_class_of_the_style_is_used():
    assert sorted(classes() - set(words())) == []
