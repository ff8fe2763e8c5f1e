"""The staff desk: the admin site, composed of every app."""
