"""The admin of the event log, the mails, and the addresses that cannot be reached."""

from events.admin.events import EventAdmin
from events.admin.mails import MailAdmin, UnreachableAddressAdmin

__all__ = ["EventAdmin", "MailAdmin", "UnreachableAddressAdmin"]
