"""What every mail of this site looks like: its text and HTML parts, with the seller at the foot.

Most mails are a Notice. Another look has templates of its own, which extend mail/base.txt and mail/base.html.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from django.conf import settings
from django.template import Context
from django.template.loader import get_template
from django.utils.translation import get_language

from core import links
from core.brand import brand

# Runs of white space, but for the no-break spaces in amounts and dates.
SPACES = re.compile(r"[^\S\u00a0]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A mail of a title, sentences, a table and one button (templates mail/notice.*). All texts are plain."""

    # The subject, and the heading in the mail.
    title: str
    # The first one stands beside the subject in an inbox.
    sentences: Sequence[str]
    # The words and the link of the one button. Without words there is none.
    button: str = ""
    url: str = ""
    # Pairs of a label and a value.
    rows: Sequence[tuple[str, str]] = ()
    # A small paragraph at the end, and the words and the link with which it ends.
    note: str = ""
    link: tuple[str, str] | None = None
    # Its colour: `ok`, `warn` or `bad`, and the words in the coloured tag above the heading.
    tone: str = ""
    tag: str = ""


class Letter(NamedTuple):
    """A rendered mail. `stop_url` is empty if the recipient cannot switch such mails off."""

    subject: str
    text: str
    html: str
    stop_url: str = ""


def render(told: Notice | Mapping[str, Any], template: str = "", *, name: str, stop_url: str = "") -> Letter:
    """Return a mail to somebody called `name`, in the active language; without a name to somebody without an account.

    `told` is a Notice, or the variables of the templates mail/<template>.subject.txt, .txt and .html.
    """
    if isinstance(told, Notice):
        told, template = asdict(told), "notice"
    values = {
        "name": name,
        "language": get_language(),
        "brand": brand(),
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "settings_url": links.absolute("settings"),
        "stop_url": stop_url,
        **told,
    }
    # A subject is one line, whatever is in a name.
    values["subject"] = SPACES.sub(" ", _text(f"mail/{template}.subject.txt", values)).strip()
    html = get_template(f"mail/{template}.html").render(values)
    return Letter(values["subject"], _text(f"mail/{template}.txt", values).strip() + "\n", html, stop_url)


def _text(template: str, values: Mapping[str, Any]) -> str:
    """Render plain text, in which nothing is escaped."""
    found: Any = get_template(template)
    text: str = found.template.render(Context(dict(values), autoescape=False))
    return text
