"""The only reader of environment variables and of the file .env, for web, gunicorn, workers, beat and manage.py.

A blank variable is the same as one that is not set. A variable of the process wins over the file. Each error names its
variable, says what is allowed and shows an example. What may hold a password or a key, such as a URL, is never shown.
"""

import builtins
import ipaddress
import math
import os
import re
import zoneinfo
from collections.abc import Callable, Collection, MutableMapping
from pathlib import Path
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parent.parent
# The largest whole number of a variable: 63 years in seconds. Of days, a century.
LARGEST, MOST_DAYS = 2_000_000_000, 36_500
YES, NO = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}
T = TypeVar("T")
# The types themselves: within the class their names are those of its methods.
Text: TypeAlias = str
Whole: TypeAlias = int
Flag: TypeAlias = bool


class Environment:
    """Typed reading of variables. A method returns `default` for a variable that is blank or not set."""

    def __init__(self, variables: MutableMapping[Text, Text]) -> None:
        self.variables = variables
        # The default of each variable that was read, for the test that compares them with .env.example.
        self.defaults: dict[Text, Any] = {}

    def load(self, file: Path) -> None:
        """Add the variables of a file such as .env. Those that are set already and not blank are kept."""
        if file.exists():
            found: dict[Text, Text] = {}

            class File(environ.Env):
                ENVIRON = found

            File.read_env(file)
            self.variables.update({name: value for name, value in found.items() if not self._value(name)})

    def str(self, name: Text, *, default: Text = "") -> Text:
        """Return the text without spaces around it."""
        return self._read(name, default) or default

    def int(self, name: Text, *, default: Whole, least: Whole = 0, most: Whole | None = None) -> Whole:
        """Return a whole number from `least` to `most`, by default LARGEST."""
        value = self._read(name, default)
        if not value:
            return default
        number = Whole(value) if re.fullmatch("-?[0-9]{1,18}", value) else None
        is_large = number is not None and number > LARGEST
        allowed = f"{least} or more" if most is None and not is_large else f"a number from {least} to {most or LARGEST}"
        if number is None or not least <= number <= (most or LARGEST):
            raise wrong(name, value, f"{allowed}, without a fraction", default)
        return number

    def days(self, name: Text, *, default: Whole, least: Whole = 1) -> Whole:
        """Return a whole number of days, at most a century."""
        return self.int(name, default=default, least=least, most=MOST_DAYS)

    def float(self, name: Text, *, default: builtins.float, most: builtins.float) -> builtins.float:
        """Return a number above zero and at most `most`."""
        value = self._read(name, default)
        try:
            number = builtins.float(value) if value else default
        except ValueError:
            number = math.nan
        if not 0 < number <= most:
            raise wrong(name, value, f"a number above zero, at most {most:g}", default)
        return number

    def bool(self, name: Text, *, default: Flag) -> Flag:
        """Return whether the variable is 1 (true, yes, on) and not 0 (false, no, off)."""
        value = self._read(name, default).lower()
        if value and value not in YES | NO:
            raise wrong(name, value, "1 or 0", Whole(default))
        return value in YES if value else default

    def list(self, name: Text, *, default: Collection[Text] = ()) -> builtins.list[Text]:
        """Return the texts between commas, without spaces around each and without blank ones."""
        value = self._read(name, ",".join(default))
        return [part.strip() for part in value.split(",") if part.strip()] if value else [*default]

    def choice(self, name: Text, among: Collection[Text], *, default: Text) -> Text:
        """Return one of these texts."""
        value = self._read(name, default) or default
        if value not in among:
            raise wrong(name, value, "one of " + ", ".join(among), default)
        return value

    def networks(self, name: Text) -> builtins.list[Text]:
        """Return the IP networks between commas."""
        found = self.list(name)
        for text in found:
            try:
                network = ipaddress.ip_network(text)
            except ValueError:
                network = None
            # An IPv4 address within IPv6 is read as IPv4 (core.addresses), so such a network would match nobody.
            if network is None or getattr(network.network_address, "ipv4_mapped", None):
                raise wrong(
                    name, text, "networks such as 10.0.0.0/8 or 2001:db8::/32, with commas between them", "10.0.0.0/8"
                )
        return found

    def parsed(
        self, name: Text, parse: Callable[[Text], T], *, default: Text, allowed: Text, example: Text,
        is_secret: Flag = False,
    ) -> T:  # fmt: skip
        """Return `parse(text)` of the variable. It raises ValueError or TypeError for a text that is not allowed."""
        value = self._read(name, default) or default
        try:
            return parse(value)
        except (TypeError, ValueError):
            raise wrong(name, "not valid" if is_secret else value, allowed, example) from None

    def word(self, name: Text, pattern: Text, *, allowed: Text, example: Text, default: Text = "") -> Text:
        """Return a text that matches the whole of a regular expression, or the default."""
        value = self._read(name, default)
        if value and not re.fullmatch(pattern, value):
            raise wrong(name, value, allowed, example)
        return value or default

    def words(self, name: Text, pattern: Text, *, allowed: Text, example: Text) -> builtins.list[Text]:
        """Return the texts between commas, each of which matches the whole of a regular expression."""
        found = self.list(name)
        for text in found:
            if not re.fullmatch(pattern, text):
                raise wrong(name, text, allowed, example)
        return found

    def zone(self, name: Text, *, default: Text) -> Text:
        """Return the name of a time zone."""
        allowed = "the name of a time zone"
        return self.parsed(name, lambda text: _zone(text), default=default, allowed=allowed, example="Europe/Berlin")

    def url(self, name: Text, schemes: Collection[Text], *, example: Text, default: Text = "") -> Text:
        """Return a URL with one of these schemes. An error does not show its value, which may hold a password."""
        value = self._read(name, default) or default
        if value and not _is_url(value, schemes):
            raise ImproperlyConfigured(
                f"{name} is not a URL that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}. In a user "
                f"name or password write / as %2F, ? as %3F, # as %23 and @ as %40. Example: {name}={example}"
            )
        return value

    def _read(self, name: Text, default: Any) -> Text:
        self.defaults[name] = default
        return self._value(name)

    def _value(self, name: Text) -> Text:
        return self.variables.get(name, "").strip()


def wrong(name: str, value: str, allowed: str, example: object) -> ImproperlyConfigured:
    """Return the error for a value that is not allowed. What stands in braces, such as JSON with keys, is not shown."""
    shown = "not valid" if "{" in value else value
    return ImproperlyConfigured(f"{name} is {shown}. It must be {allowed}. Example: {name}={example}")


def _zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, OSError):
        # Such as the name of a folder of zones, or one that is too long.
        raise ValueError(name) from None
    return name


def _is_url(value: str, schemes: Collection[str]) -> bool:
    """Return whether the URL can be read. An @ behind the host is the rest of a password that was not encoded."""
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 - raises ValueError for a port that is no number
    except ValueError:
        return False
    return parts.scheme in schemes and "@" not in parts.path + parts.query and not parts.fragment


env = Environment(os.environ)
env.load(ROOT / ".env")
