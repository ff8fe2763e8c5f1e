"""What the template "notice" shows: a title, sentences, one button and a table. Most kinds of mails are notices."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

# Of a long list a mail shows so many.
MOST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A mail of a few lines. All texts are plain, in the recipient's language."""

    # The subject, and the heading in the mail.
    title: str
    sentences: Sequence[str]
    # The words and the link of the one button.
    button: str
    url: str
    # Pairs of a label and a value.
    rows: Sequence[tuple[str, str]] = ()
    # A small paragraph at the end.
    note: str = ""
    # Its colour: `ok`, `warn` or `bad`, and the words in the coloured tag above the heading.
    tone: str = ""
    tag: str = ""

    def context(self) -> dict[str, Any]:
        """Return the variables of the template. The sentences stand beside the subject in an inbox."""
        return asdict(self)
