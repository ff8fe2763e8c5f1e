"""The time zones that a customer may choose: the IANA names of places, such as `Europe/Moscow`."""

from functools import cache
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# Other names are links of former times (`US/Pacific`), fixed offsets (`Etc/GMT+5`) or stations (`Antarctica/Troll`).
REGIONS = ("Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


@cache
def names() -> tuple[str, ...]:
    """Return all names, sorted, UTC first."""
    return ("UTC", *sorted(name for name in available_timezones() if name.split("/")[0] in REGIONS))


def check(name: str) -> None:
    """Raise ValidationError for a name that is not one of `names`."""
    if name not in names():
        raise ValidationError(_("Choose a time zone from the list, such as Europe/Moscow."), code="invalid")
