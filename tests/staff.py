"""Members of staff in the groups that a new installation has."""

from importlib import import_module
from typing import Any

from django.contrib.auth.models import Group, Permission

from accounts.models import User

# The groups as the migration creates them. Tests with transactions of their own empty the tables.
GROUPS: dict[str, list[str]] = import_module("billing_site.migrations.0001_staff_groups").GROUPS


def group(name: str) -> Group:
    """Return a group with its permissions."""
    made, _ = Group.objects.get_or_create(name=name)
    made.permissions.set([permission(each) for each in GROUPS[name]])
    return made


def permission(name: str) -> Permission:
    """Return the permission with a name such as `payments.refund_payment`."""
    label, codename = name.split(".")
    found: Any = Permission.objects.get(content_type__app_label=label, codename=codename)
    return found


def member(role: str, username: str = "") -> User:
    """Return a new member of staff with a role, who can log in with the password `correct horse`."""
    name = username or role
    user = User.objects.create_user(name, f"{name}@staff.example.com", "correct horse", is_staff=True)
    user.groups.add(group(role))
    return user
