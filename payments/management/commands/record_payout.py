"""`manage.py record_payout`: record by hand what a gateway that lists no payouts has sent to the bank account."""

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core import clock
from core.errors import DomainError
from ledger.money import Money, NotMoney
from payments import payouts


class Command(BaseCommand):
    help = "Record a payout of a gateway that does not list its own. The same reference again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("gateway")
        parser.add_argument("amount", help="what arrived, such as 1342.00")
        parser.add_argument("currency", help="ISO 4217 code, such as RUB")
        parser.add_argument("--on", required=True, metavar="YYYY-MM-DD", type=midnight, help="the day it arrived (UTC)")
        parser.add_argument("--reference", required=True, help="its number on the bank statement")
        parser.add_argument("--returned", action="store_true", help="the bank has sent this payout back")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            payout, is_news = payouts.record_by_hand(
                options["gateway"], Money.parse(options["amount"], options["currency"]), arrived_at=options["on"],
                reference=options["reference"], is_paid=not options["returned"], now=clock.now(),
            )  # fmt: skip
        except (payouts.PayoutRefused, NotMoney, DomainError) as error:
            raise CommandError(str(error)) from error
        state = "sent back" if not payout.is_paid else "posted"
        self.stdout.write(f"{payout.gateway}: {payout.money} is {state}{'' if is_news else ' already'}. {payout}")


def midnight(text: str) -> datetime:
    """Return the beginning of a day in UTC."""
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
