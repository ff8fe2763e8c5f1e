"""A complete gateway for trying and testing: its tables (payments/models/sandbox.py) stand for a remote party's."""
