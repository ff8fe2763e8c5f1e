"""`manage.py clearing`: what each gateway still owes us, by age."""

import json
from collections.abc import Iterable
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console
from rich.table import Table

from core import clock
from ledger.money import Money
from payments import ageing
from payments.ageing import BUCKETS, Ageing, Exchange


class Command(BaseCommand):
    help = "Print the clearing account of each gateway and currency: its balance by age in days, and what is oldest."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the accounts as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        accounts, exchanged = ageing.ageing(now=clock.now()), ageing.exchanged()
        if options["json"]:
            self.stdout.write(json.dumps([as_json(account, exchanged) for account in accounts], indent=2))
        else:
            show(accounts, exchanged, Console(file=cast(IO[str], self.stdout._out)))


def show(accounts: Iterable[Ageing], exchanged: Iterable[Exchange], console: Console) -> None:
    """Print a table of the accounts, the oldest open movements of each, and what was changed into other currencies."""
    table = Table("gateway", "currency")
    for heading in ("owes us", *(f"{bucket} days" for bucket in BUCKETS)):
        table.add_column(heading, justify="right")
    for account in accounts:
        amounts = [account.balance.amount, *account.amounts]
        table.add_row(account.gateway, account.currency, *(plain(account, amount) for amount in amounts))
    console.print(table)
    for account in accounts:
        for movement in account.oldest:
            said = f"{account.gateway}: {movement.name} of {movement.at:%Y-%m-%d}, open {movement.money}"
            console.print(said, markup=False, highlight=False)
    for each in exchanged:
        said = f"{each.gateway}: {each.money} of {each.payments} payments was changed into {each.into}"
        console.print(
            f"{said} and paid out in it. Neither comes back to zero by itself.", markup=False, highlight=False
        )


def plain(account: Ageing, amount: int) -> str:
    """Return an amount of the account without its currency: `-12.50`."""
    return Money(amount, account.currency).plain()


def as_json(account: Ageing, exchanged: Iterable[Exchange]) -> dict[str, Any]:
    """Return the account with amounts as plain decimals and instants in ISO 8601."""
    return {
        "gateway": account.gateway,
        "currency": account.currency,
        "balance": account.balance.plain(),
        "days": {bucket: plain(account, amount) for bucket, amount in zip(BUCKETS, account.amounts, strict=True)},
        "oldest": [
            {"name": movement.name, "at": movement.at.isoformat(), "open": movement.money.plain()}
            for movement in account.oldest
        ],
        "changed_into": {
            each.into: each.money.plain()
            for each in exchanged
            if (each.gateway, each.money.currency) == (account.gateway, account.currency)
        },
    }
