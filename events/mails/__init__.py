"""Mails to customers: made from events, sent from rows, whatever broker and mail server do.

`kinds` is the list of what is sent, `letters` renders it, `fan_out` makes rows of events, `delivery` sends them.
"""
