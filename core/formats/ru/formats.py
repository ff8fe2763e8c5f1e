"""Dates and times of the admin in Russian: 24 hours, with the zone."""

DATETIME_FORMAT = "j E Y г., H:i T"
DATE_FORMAT = "j E Y г."
TIME_FORMAT = "H:i"
