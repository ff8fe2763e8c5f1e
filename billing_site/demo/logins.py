"""The people who can log in to the demo. Their passwords are public, so they exist only where LOCAL is set."""

from typing import NamedTuple


class Login(NamedTuple):
    """A person of the demo. `who` describes them in the list that `make run` prints."""

    username: str
    password: str
    who: str


ANNA = Login("anna", "anna-likes-billing", "a customer with three months of history")
BORIS = Login("boris", "boris-likes-billing", "a customer who ran out of money, reads Russian")
ADMIN = Login("admin", "admin-likes-billing", "staff, superuser")
SUPPORT = Login("support", "support-likes-billing", "staff, helps customers")
FINANCE = Login("finance", "finance-likes-billing", "staff, decides about money")
EVERYBODY = (ANNA, BORIS, ADMIN, SUPPORT, FINANCE)
# The group of each member of staff.
ROLES = {"support": SUPPORT, "finance": FINANCE}


def listing() -> str:
    """Return the user names, passwords and descriptions as lines for a terminal."""
    return "\n".join(f"  {login.username:<9}{login.password:<24}{login.who}" for login in EVERYBODY)
