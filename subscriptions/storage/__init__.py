"""Loads books from the tables and saves them. A batch of any size takes a few statements."""
