"""Exports of money as CSV files, for accountants: each is one statement of SQL and the columns of its result."""
