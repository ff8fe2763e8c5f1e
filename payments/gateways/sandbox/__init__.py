"""A complete gateway for trying and testing: its tables (models.py) stand for a remote party's."""
