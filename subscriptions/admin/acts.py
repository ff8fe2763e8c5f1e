"""What the pages on which staff act on a subscription have in common: what they show, and who is asked again."""

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.errors import DomainError
from core.rehearsal import Fact, Facts
from events.admin.review import Result, SeenForm
from events.admin.trace import reason_field
from events.models import Event
from ledger.display import moment, money
from ledger.money import Money
from subscriptions import catalogue, orders, overview, reminders
from subscriptions.admin import facts as customer_facts
from subscriptions.admin.refusals import for_staff
from subscriptions.books import OpenBook
from subscriptions.labels import STATUSES, every
from subscriptions.models import Price, Subscription
from subscriptions.overview import SubscriptionState
from subscriptions.web import cards
from subscriptions.web.actions import Action, possible_actions
from subscriptions.web.cards import Card


class SubscriptionChanged(DomainError):
    """The subscription is not as the member of staff saw it."""

    code = "subscription_changed"


class SubscriptionForm(SeenForm):
    """An act on a subscription, with its reason. Staff decide by the last event that they saw of it."""

    permission = "subscriptions.change_subscription"
    # What customers must be able to do for staff to do it; None: the form says itself when it is possible.
    action: ClassVar[Action | None] = None
    # Whether a closed account rules it out.
    needs_open_account: ClassVar[bool] = False
    # What is said when it is done.
    done: ClassVar[str | Promise]

    reason = reason_field(_("For the record. The customer does not read it."))

    @property
    def subscription(self) -> Subscription:
        """The subscription as it was when the page was asked for."""
        row: Subscription = self.row
        return row

    @property
    def card(self) -> Card:
        """The subscription as its customer sees it."""
        return card_of(self.subscription)

    @classmethod
    def obstacle(cls, row: Subscription) -> str:
        """Return why the act is not possible now."""
        card = card_of(row)
        if cls.needs_open_account and not row.customer.is_active:
            return gettext("The account is closed. Open it first.")
        if cls.is_possible(card):
            return ""
        return gettext("This is not possible now. The subscription: %(status)s.") % {"status": status_of(card.state)}

    @classmethod
    def is_possible(cls, card: Card) -> bool:
        """Tell whether the act would change something now."""
        return cls.action in possible_actions(card)

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Do it on the settled book, unless the subscription has changed since staff saw it."""
        self.on_book(by, lambda book: self.act(book), now=now)
        return Result(str(self.done))

    def act(self, book: OpenBook) -> None:
        """Do it on the open book. Raises Refused."""
        raise NotImplementedError

    def on_book(self, by: User, act: Callable[[OpenBook], None], *, now: datetime) -> None:
        """Open the book and do `act`, signed by the member of staff. Raises Refused, Changed."""

        def checked(book: OpenBook) -> None:
            self.check_that_it_is_as_seen()
            with book.signed(by):
                act(book)

        orders.change(self.subscription, now=now, act=checked)

    def add_refusal(self, error: DomainError) -> None:
        """Show the error in words for staff."""
        super().add_refusal(for_staff(error))

    def check_that_it_is_as_seen(self) -> None:
        """Raise Changed if the subscription has changed since the page was made. Call it with the book locked."""
        seen = self.cleaned_data.get("seen")
        if seen is not None and seen != self.figure():
            raise self.changed(
                SubscriptionChanged(gettext("The subscription has changed meanwhile. Check what is so now."))
            )

    def figure(self) -> int:
        """Return the id of the last event that has changed the subscription."""
        own = Event.objects.filter(subject=self.subscription.public_id, type__startswith="subscription.")
        changes = own.exclude(type__in=(reminders.EVENT, reminders.TRIAL_EVENT))
        return changes.order_by("-id").values_list("id", flat=True).first() or 0

    def facts(self, *, now: datetime) -> Facts:
        """Return the state of the subscription, and what else may change for its customer."""
        if not self.is_bound:
            return of_state(self.card.state) | balance_of(self.card)
        row = Subscription.objects.select_related("customer", "price__plan").get(pk=self.subscription.pk)
        others = customer_facts.of_customer(row.customer, row.price.currency, now=now)
        others.pop(row.public_id, None)
        return of_state(overview.one(row, now=now)) | others


def card_of(row: Subscription) -> Card:
    """Return the subscription as its customer sees it. It is calculated once for a row."""
    if not hasattr(row, "staff_card"):
        keep(cards.one(row, now=timezone.now()), row)
    card: Card = row.staff_card  # type: ignore[attr-defined]
    return card


def keep(card: Card, row: Subscription) -> None:
    """Keep a card with the row, so that its acts do not calculate it again."""
    row.staff_card = card  # type: ignore[attr-defined]


def balance_of(card: Card) -> Facts:
    """Return the balance and the debt of the customer, as facts.of_customer names them."""
    return {
        "balance": Fact(gettext("Balance of the customer"), money(card.available)),
        "debt": Fact(gettext("Debt"), money(card.debt), quiet=not card.debt.amount),
    }


def status_of(state: SubscriptionState) -> str:
    """Return the status in words."""
    return str(STATUSES[state.status][2])


def of_state(state: SubscriptionState) -> Facts:
    """Return what a member of staff sees of a subscription before and after an act."""
    price, end = state.price, state.period.end if state.period else None
    ends = {
        "paid": (gettext("Paid until"), end),
        "trial": (gettext("Trial until"), state.trial_end),
        "grace": (gettext("Days of grace until"), state.grace_end),
        "wait": (gettext("Waits for money until"), state.wait_end),
    }
    facts = {
        "status": Fact(gettext("Subscription"), status_of(state)),
        "plan": Fact(gettext("Plan"), f"{price.plan.title}, {cost_of(price, state.quantity, state.row.periods)}"),
        "quantity": Fact(gettext("Quantity"), str(state.quantity)),
    }
    facts |= {key: Fact(name, moment(at)) for key, (name, at) in ends.items() if at}
    if state.next_charge:
        text = f"{money(state.next_charge.amount)}, {moment(state.next_charge.at)}"
        facts["next"] = Fact(gettext("Next charge"), text)
    if planned := planned_of(state):
        facts["planned"] = Fact(gettext("Planned"), planned)
    renewal = gettext("on") if state.auto_renew else gettext("off")
    facts["renewal"] = Fact(gettext("Automatic renewal"), renewal, quiet=True)
    return facts


def planned_of(state: SubscriptionState) -> str:
    """Return what is to happen at the end of the period or trial; empty if it just goes on."""
    if state.is_leaving:
        return gettext("ends then")
    planned = [state.scheduled.plan.title] if state.scheduled else []
    if state.scheduled_quantity:
        planned.append(gettext("quantity %(quantity)d") % {"quantity": state.scheduled_quantity})
    return ", ".join(planned)


def cost_of(price: Price, quantity: int, periods: int) -> str:
    """Return what so many cost: `₽690.00 a month`."""
    periods = catalogue.renewal_periods(price, periods)
    return f"{money(Money(catalogue.cost(price, quantity, periods), price.currency))} {every(price, periods)}"
