"""The time zones that a customer may choose: the IANA names of places, such as `Europe/Moscow`.

A list of one place or a few for each clock in use. All four hundred would make the settings page three times as large.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

PLACES = {
    "Africa": "Abidjan Algiers Cairo Casablanca Johannesburg Lagos Nairobi Tunis",
    "America": (
        "Adak Anchorage Argentina/Buenos_Aires Bogota Caracas Chicago Denver Guatemala Halifax Havana Lima Los_Angeles "
        "Mexico_City Montevideo New_York Noronha Nuuk Phoenix Puerto_Rico Santiago Sao_Paulo St_Johns Toronto Vancouver"
    ),
    "Asia": (
        "Almaty Amman Baghdad Baku Bangkok Beirut Bishkek Colombo Damascus Dhaka Dubai Dushanbe Ho_Chi_Minh Hong_Kong "
        "Irkutsk Jakarta Jerusalem Kabul Kamchatka Karachi Kathmandu Kolkata Krasnoyarsk Magadan Manila Novosibirsk "
        "Omsk Riyadh Sakhalin Seoul Shanghai Singapore Taipei Tashkent Tbilisi Tehran Tokyo Ulaanbaatar Vladivostok "
        "Yakutsk Yangon Yekaterinburg Yerevan"
    ),
    "Atlantic": "Azores Cape_Verde Canary Reykjavik",
    "Australia": "Adelaide Brisbane Darwin Eucla Hobart Lord_Howe Perth Sydney",
    "Europe": (
        "Amsterdam Athens Belgrade Berlin Brussels Bucharest Budapest Chisinau Copenhagen Dublin Helsinki Istanbul "
        "Kaliningrad Kyiv Lisbon London Madrid Minsk Moscow Oslo Paris Prague Riga Rome Samara Sofia Stockholm Tallinn "
        "Vienna Vilnius Warsaw Zurich"
    ),
    "Indian": "Maldives Mauritius",
    "Pacific": "Auckland Chatham Fiji Gambier Guam Honolulu Kiritimati Marquesas Noumea Pago_Pago Tongatapu",
}
NAMES = ("UTC", *(f"{region}/{place}" for region, places in PLACES.items() for place in places.split()))


def closest(guess: str, *, now: datetime) -> str:
    """Return the zone of the list that a browser's zone is, or one of its region with the same clock; else empty.

    The clocks are compared now and half a year later, so that summer time is too.
    """
    if guess in NAMES:
        return guess
    try:
        zone = ZoneInfo(guess)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ""
    region = guess.partition("/")[0] + "/"
    clock = _clock(zone, now)
    same = (name for name in NAMES if name.startswith(region) and _clock(ZoneInfo(name), now) == clock)
    return next(same, "")


def _clock(zone: ZoneInfo, now: datetime) -> list[timedelta | None]:
    return [at.astimezone(zone).utcoffset() for at in (now, now + timedelta(days=182))]


def check(name: str) -> None:
    """Raise ValidationError for a name that is not in the list."""
    if name not in NAMES:
        raise ValidationError(_("Choose a time zone from the list, such as Europe/Moscow."), code="invalid")
