"""The billing engine: a book in, what must be written out. No Django, no clock, no input or output.

Time is integer microseconds since 1970 UTC, money integer minor units. The rules are docs/billing-rules.md.
"""
