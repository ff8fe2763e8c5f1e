"""The most that one subscription may be: keeps amounts within bigint and periods within the calendar."""

MOST_PERIODS = 1_000
MOST_QUANTITY = 1_000_000
