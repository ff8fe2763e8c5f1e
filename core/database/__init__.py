"""Django's backend for PostgreSQL with limits on this side of the connection (settings.DATABASES)."""
