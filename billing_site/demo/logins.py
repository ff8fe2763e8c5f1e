"""Who can log in to the demo. The passwords are public: these people exist where LOCAL is set, and nowhere else."""

from typing import NamedTuple


class Login(NamedTuple):
    """A person of the demo, as told at start-up."""

    username: str
    password: str
    who: str


ANNA = Login("anna", "anna-likes-billing", "a customer with three months of history")
BORIS = Login("boris", "boris-likes-billing", "a customer who ran out of money, reads Russian")
ADMIN = Login("admin", "admin-likes-billing", "staff, may do everything")
SUPPORT = Login("support", "support-likes-billing", "staff, may look and not touch")
EVERYBODY = (ANNA, BORIS, ADMIN, SUPPORT)


def listing() -> str:
    """Return the people as lines for a terminal."""
    return "\n".join(f"  {login.username:<9}{login.password:<24}{login.who}" for login in EVERYBODY)
