"""`manage.py doctor`: examine this installation, and say for each part what to do."""
