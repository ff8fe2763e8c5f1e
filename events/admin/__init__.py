"""The admin of the event log, acts of staff, the mails, and the addresses that cannot be reached."""

from events.admin.events import EventAdmin
from events.admin.mails import MailAdmin, UnreachableAddressAdmin
from events.admin.staff_acts import StaffActAdmin

__all__ = ["EventAdmin", "MailAdmin", "StaffActAdmin", "UnreachableAddressAdmin"]
