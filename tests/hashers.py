"""The hasher of passwords in tests."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickArgon2PasswordHasher(Argon2PasswordHasher):
    """Argon2 at its least cost: the product's takes a tenth of a second and 100 MB for each of hundreds of log-ins."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1
