"""Change a customer's subscriptions and wallet: `open` locks and settles a book, then saves it on exit."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from ledger import wallets
from ledger.money import LARGEST, Money
from subscriptions import catalogue, change_dues, confirmed_addresses, dues, overview
from subscriptions.engine import activation, changes, extension, funds, operations, shortage
from subscriptions.engine.book import Cause
from subscriptions.engine.calendar import to_datetime, to_micros
from subscriptions.engine.refusals import Refusal, is_within_limits
from subscriptions.engine.runway import HOUR
from subscriptions.engine.settlement import settle
from subscriptions.engine.subscription import FINAL, Status, Sub
from subscriptions.models import Price, Subscription
from subscriptions.refusals import Refused, check_limits, insufficient_funds, refused
from subscriptions.storage import read, write
from subscriptions.storage.read import LoadedBook, pk_of


class OpenBook:
    """A customer's book in one currency, locked and settled. Each operation happens completely or raises Refused."""

    def __init__(self, item: LoadedBook, customer: User, at: int) -> None:
        self.item = item
        self.customer = customer
        # The instant of every operation, in microseconds.
        self.at = at
        self.now = to_datetime(at)
        self.created: list[Subscription] = []

    @property
    def balance(self) -> int:
        """The balance of the wallet in minor units."""
        return self.item.book.balance

    @property
    def debt(self) -> int:
        """What the customer owes, in minor units."""
        return self.item.book.debt

    def top_up(
        self, amount: int, *, key: str, source: str, reason: str = "top_up", description: str = "",
        first: Subscription | None = None, author: User | None = None,
    ) -> None:  # fmt: skip
        """Credit `amount` minor units from the system account `source`: first the debt is paid, then `first` starts.

        Then the suspended ones are revived. If `first` has ended meanwhile, the money still goes to the wallet.
        """
        self._check_amount(amount)
        paid_for = self._find_or_none(first) if first else None
        if paid_for is not None:
            self._hold_trials(paid_for)
        cause = Cause(key, source, description, author.pk if author else None)
        funds.top_up(self.item.book, self.at, amount, cause=cause, reason=reason, first=paid_for)

    def withdraw(
        self, amount: int, *, key: str, to: str, reason: str = "refund", description: str = "",
        author: User | None = None,
    ) -> None:  # fmt: skip
        """Move `amount` minor units to the system account `to`; refuse if the wallet cannot pay all of it."""
        self._check_amount(amount)
        cause = Cause(key, to, description, author.pk if author else None)
        self._raise_if_refused(funds.withdraw(self.item.book, self.at, amount, cause=cause, reason=reason))

    def write_off(
        self, amount: int, *, key: str, source: str, description: str = "", author: User | None = None
    ) -> None:
        """Pay `amount` minor units of the debt from the system account `source`; refuse more than is owed.

        Then what waits is revived, as when money comes.
        """
        self._check_amount(amount)
        cause = Cause(key, source, description, author.pk if author else None)
        self._raise_if_refused(funds.write_off(self.item.book, self.at, amount, cause=cause))

    def lose_dispute(self, amount: int, *, key: str, to: str = "disputes", description: str = "") -> None:
        """Take back a disputed payment: what the wallet lacks is a debt, and what is not paid any more stops."""
        self.take_back(amount, key=key, to=to, reason="chargeback", description=description)

    def take_back(self, amount: int, *, key: str, to: str, reason: str, description: str = "") -> None:
        """Take back money that the customer has been given back already, as `lose_dispute` does."""
        self._check_amount(amount)
        funds.take_back(self.item.book, self.at, amount, cause=Cause(key, to, description), reason=reason)

    def subscribe(
        self, price: Price, *, quantity: int = 1, periods: int = 1, auto_renew: bool = True,
        is_checkout: bool = False,
    ) -> Subscription:  # fmt: skip
        """Create a subscription and start it if the wallet or a trial allows it, else leave it pending.

        One made by a checkout starts by its own payment, whatever the balance: a customer who turns back on the
        gateway's page has bought nothing. A trial starts at once.
        """
        self._check_sale(price, quantity, periods)
        self._check_room()
        row = Subscription.objects.create(
            customer=self.customer, wallet_id=self.item.wallet_id, price=price, quantity=quantity, periods=periods,
            auto_renew=auto_renew, created_at=self.now, wait_end=self.now + timedelta(days=settings.ORDER_DAYS),
        )  # fmt: skip
        terms = read.terms_of([price.pk])[price.pk]
        sub = Sub(row.pk, terms, quantity, periods, auto_renew, public_id=row.public_id)
        self._hold_trials(sub)
        self._raise_if_refused(operations.subscribe(self.item.book, self.at, sub, is_checkout=is_checkout))
        self.created.append(row)
        return row

    def start(self, subscription: Subscription) -> None:
        """Start a pending or suspended subscription from the balance."""
        sub = self._find(subscription)
        self._hold_trials(sub)
        refusal = operations.start_waiting(self.item.book, self.at, sub)
        if refusal is Refusal.INSUFFICIENT_FUNDS:
            raise insufficient_funds(Money(self._missing(subscription, sub), self.item.currency))
        self._raise_if_refused(refusal)

    def change(
        self, subscription: Subscription, *, plan: str | None = None, quantity: int | None = None, when: str = "now"
    ) -> None:
        """Change to the plan with this code, the quantity, or both at once; or raise catalogue.PlanNotFound.

        Raise AddressNotConfirmed if the customer must confirm the address first.
        The plan it has keeps the version of its price and need not be on sale.
        """
        if plan is not None:
            own = Price.objects.select_related("plan").get(pk=pk_of(self._find(subscription).terms.id))
            price = own if plan.lower() == own.plan.code.lower() else catalogue.current(plan, own.currency)
            if price != own:
                confirmed_addresses.check(self.customer, price.plan)
            self.change_plan(subscription, price, quantity=quantity, when=when)
        elif quantity is not None:
            self.change_quantity(subscription, quantity, when=when)

    def change_plan(
        self, subscription: Subscription, price: Price, *, quantity: int | None = None, when: str = "now"
    ) -> None:
        """Change to another plan's price, `now` or at the `period_end`, and with it the quantity if one is given.

        A change to the plan it has moves nothing by itself.
        """
        sub = self._find(subscription)
        terms = read.terms_of([price.pk])[price.pk]
        self._check_currency(price)
        if quantity is not None:
            self._check_sale(price, quantity, sub.periods)
        elif terms.plan != sub.terms.plan:
            self._check_sale(price, max(sub.quantity, sub.scheduled_quantity or 0), sub.periods)
        refusal = changes.change_plan(self.item.book, self.at, sub, terms, when=when, quantity=quantity)
        self._raise_if_refused(refusal)

    def change_quantity(self, subscription: Subscription, quantity: int, *, when: str = "now") -> None:
        """Change the quantity, `now` or at the `period_end`."""
        sub = self._find(subscription)
        if not is_within_limits(sub.terms, quantity, sub.periods, self.at):
            check_limits(Price.objects.get(pk=pk_of(sub.terms.id)), quantity, sub.periods, at=self.at)
        self._raise_if_refused(changes.change_quantity(self.item.book, self.at, sub, quantity, when=when))

    def keep_plan(self, subscription: Subscription) -> None:
        """Drop what is scheduled for the period's end."""
        sub = self._find(subscription)
        self._raise_if_refused(changes.change_plan(self.item.book, self.at, sub, sub.terms, when="period_end"))

    def cancel(self, subscription: Subscription, *, when: str | None = None, refund_unused: bool = False) -> None:
        """Cancel, by default at the end of the period or trial if there is one; else at once."""
        sub = self._find(subscription)
        self._raise_if_refused(operations.cancel(self.item.book, self.at, sub, when=when, refund_unused=refund_unused))

    def end(self, subscription: Subscription, *, refund_unused: bool) -> int:
        """Cancel at once and return what came back for unused time, in minor units. It has paid the debt first."""
        movements = self.item.book.journal.movements
        before = len(movements)
        self.cancel(subscription, when="now", refund_unused=refund_unused)
        came = [each for each in movements[before:] if each.sub and each.sub.id == subscription.pk]
        return sum(each.amount for each in came if each.reason == "unused_refund")

    def undo_cancel(self, subscription: Subscription) -> None:
        """Withdraw a cancel request that has not taken effect."""
        self._raise_if_refused(operations.undo_cancel(self.item.book, self.at, self._find(subscription)))

    def pause(self, subscription: Subscription) -> None:
        """Pause an active subscription; nothing is charged until it is resumed."""
        self._raise_if_refused(operations.pause(self.item.book, self.at, self._find(subscription)))

    def resume(self, subscription: Subscription) -> None:
        """Resume a paused subscription."""
        self._raise_if_refused(operations.resume(self.item.book, self.at, self._find(subscription)))

    def set_auto_renew(self, subscription: Subscription, value: bool) -> None:
        """Turn automatic renewal on or off."""
        sub = self._find(subscription)
        self._raise_if_refused(operations.set_auto_renew(self.item.book, self.at, sub, value))

    def extend(self, subscription: Subscription, days: int) -> None:
        """Let what runs (a paid period, a trial or days of grace) end so many days later, for free."""
        if not 1 <= days <= extension.MOST_DAYS:
            detail = _("Give from 1 to %d days.") % extension.MOST_DAYS
            raise Refused(Refusal.OUT_OF_RANGE, detail, param="days")
        self._raise_if_refused(extension.extend(self.item.book, self.at, self._find(subscription), days))

    @contextmanager
    def signed(self, author: User | None) -> Iterator[None]:
        """Note the member of staff who acts on every movement of money made inside."""
        movements = self.item.book.journal.movements
        before = len(movements)
        yield
        for movement in movements[before:]:
            movement.author = author.pk if author else movement.author

    def block(self) -> None:
        """Stop all use and renewal, because the account is closed."""
        operations.block(self.item.book, self.at)

    def unblock(self) -> None:
        """Resume what a block has paused, because the account is open again."""
        operations.unblock(self.item.book, self.at)

    def is_live(self, subscription: Subscription) -> bool:
        """Tell whether the customer has access at the book's instant, after the operations so far."""
        sub = self._find_or_none(subscription)
        return sub is not None and sub.is_live

    def standing(self, subscription: Subscription) -> str:
        """Return what the subscription has and what is planned for it (change_dues.standing); empty if it has ended."""
        sub = self._find_or_none(subscription)
        return "" if sub is None or sub.status in FINAL else change_dues.standing(sub)

    def refresh(self) -> None:
        """Reload the rows of the subscriptions created in this book."""
        for row in self.created:
            row.refresh_from_db()

    def _find(self, subscription: Subscription) -> Sub:
        """Return the engine's subscription of a row; raise Refused if it has ended."""
        sub = self._find_or_none(subscription)
        if sub is None or sub.status in FINAL:
            raise refused(Refusal.FINAL)
        return sub

    def _find_or_none(self, subscription: Subscription) -> Sub | None:
        """Return the engine's subscription of a row, None if it ended before the book was opened."""
        if subscription.wallet_id != self.item.wallet_id:
            raise ValueError(f"{subscription} belongs to another book")
        return next((sub for sub in self.item.book.subs if sub.id == subscription.pk), None)

    def _missing(self, subscription: Subscription, sub: Sub) -> int:
        """Return what the balance lacks for a start, whatever else the money revives; for a suspended subscription
        what pages and API ask for it, because a payment for it starts it first.
        """
        if sub.status is not Status.SUSPENDED:
            lacking = activation.missing(self.item.book, sub, self.at)
            raised = partial(dues.payable, currency=self.item.currency)
            return shortage.with_revived(self.item.book, lacking, but=sub, time_to_pay=HOUR, raised=raised)
        asked = dues.one(overview.view(self.item.currency, self.item.book, self.now), subscription)
        assert asked is not None
        return asked.amount

    def _hold_trials(self, sub: Sub) -> None:
        """Lock the customer's trials before a start that may be one."""
        if sub.status is Status.PENDING and sub.terms.trial_days:
            self.item.book.tried |= read.hold_trials(self.customer.pk)

    def _raise_if_refused(self, refusal: Refusal | None) -> None:
        if refusal is not None:
            raise refused(refusal)

    def _check_amount(self, amount: int) -> None:
        if not 0 < amount <= LARGEST:
            most = Money(LARGEST, self.item.currency)
            raise Refused("amount_out_of_range", _("The amount must be more than zero and at most %s.") % most)

    def _check_sale(self, price: Price, quantity: int, periods: int) -> None:
        """Raise Refused for a price in another currency and for amounts or periods beyond the limits."""
        self._check_currency(price)
        check_limits(price, quantity, periods, at=self.at)

    def _check_room(self) -> None:
        """Raise Refused if the book holds as many subscriptions as it may."""
        most = settings.MAX_SUBSCRIPTIONS
        if sum(sub.status not in FINAL for sub in self.item.book.subs) >= most:
            detail = _("You have %d subscriptions in this currency, the most that are possible. Cancel one first.")
            raise Refused("too_many_subscriptions", detail % most)

    def _check_currency(self, price: Price) -> None:
        if price.currency != self.item.currency:
            detail = _("The price is in %(price)s and the balance in %(wallet)s. The currencies must match.")
            both = {"price": price.currency, "wallet": self.item.currency}
            raise Refused("currency_mismatch", detail % both, param="currency")


@contextmanager
def open(  # noqa: A001 - `books.open(...)` is how it reads
    customer: User, currency: str, *, now: datetime
) -> Iterator[OpenBook]:
    """Lock the customer's book in `currency`, settle it to `now`, and save every change on exit.

    An exception inside saves nothing. If the book is settled later than `now`, everything happens at that later
    instant.
    """
    with transaction.atomic():
        [item] = read.lock([wallets.wallet_id_of(customer.pk, currency)])
        at = max(to_micros(now), item.book.at or 0)
        settle(item.book, at)
        book = OpenBook(item, customer, at)
        yield book
        settle(item.book, at)
        write.write([item])
        book.refresh()
