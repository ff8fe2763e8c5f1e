"""The billing engine: changes a book in memory and records in its journal what must be saved.

It uses no Django, no clock and no I/O. Instants are integer microseconds since 1970 UTC, amounts are integer minor
units. The rules R1 to R5 are in docs/billing-rules.md.
"""
