"""The title of each kind of act of staff, in the language of who reads it.

An act stores its kind, and in English the title that it had then, for kinds that no code names any more.
"""

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# Kind -> title. Forms of acts register their own.
TITLES: dict[str, str | Promise] = {}
# What is saved on a plain page of the admin, such as `user.change`.
VERBS: dict[str, str | Promise] = {"add": _("Added"), "change": _("Changed"), "delete": _("Deleted")}


def register(kind: str, title: str | Promise) -> None:
    """Give a kind its title. Two titles of one kind are an error in the code: raises ValueError."""
    with translation.override("en"):
        if str(TITLES.setdefault(kind, title)) != str(title):
            raise ValueError(f"The acts of the kind {kind} have the titles {TITLES[kind]} and {title}.")


def title_of(kind: str, kept: str = "") -> str:
    """Return the title of a kind; `kept` for one that no code names any more, without it the kind."""
    return str(TITLES.get(kind) or VERBS.get(kind.rpartition(".")[2]) or kept or kind)


def in_english(kind: str) -> str:
    """Return the title that is stored."""
    with translation.override("en"):
        return title_of(kind)
