"""A stored quote as the confirmation page shows it: each line with its formula, and the effects in words."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from ledger import display
from ledger.labels import REASONS
from ledger.models import Transaction
from ledger.money import Money
from subscriptions import catalogue, dues, quote_lines
from subscriptions.models import Price, Quote, Subscription
from subscriptions.models.subscription import LIVE
from subscriptions.overview import View
from subscriptions.quote_lines import UNUSED, QuoteLine
from subscriptions.quotes import DEBT_PAYMENT
from subscriptions.web.cards import Card

Status = Subscription.Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One movement of the wallet. `money` is signed."""

    label: str
    formula: str
    money: Money


def keeps_all(quote: Quote, card: Card) -> bool:
    """Tell whether a subscription keeps what it has, so that a quote only drops what is planned."""
    if quote.quantity is not None:
        return quote.quantity == card.quantity
    return quote.price.plan_id == card.price.plan_id


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotePage:
    """A quote, the subscription as it is now, and its book as it would be after the change."""

    quote: Quote
    card: Card
    changed: View

    @property
    def new(self) -> Price:
        return self.quote.price

    @property
    def is_quantity(self) -> bool:
        """Whether the quantity changes, and not the plan."""
        return self.quote.quantity is not None

    @property
    def quantity(self) -> int:
        """The quantity after the change."""
        if self.quote.quantity is not None:
            return self.quote.quantity
        return (self.card.coming_quantity if self.is_at_end else None) or self.card.quantity

    @property
    def before(self) -> Money:
        return self._money(self.quote.balance_before)

    @property
    def after(self) -> Money:
        """The balance that is left at least."""
        return self._money(self.quote.balance_after)

    @property
    def use(self) -> Money:
        """What metered use takes until the quote ends, at most, as a negative amount."""
        return self._money(self.quote.balance_after - self.quote.balance_before - self.quote.total)

    @property
    def rows(self) -> list[Row]:
        """What the change moves when the customer confirms: at most this is paid, at least this comes back."""
        lines = quote_lines.read(self.quote, write=display.money, step=quote_lines.MINUTE)
        return [Row(label=self._label(line), formula=line.formula, money=line.money) for line in lines]

    @property
    def is_exact(self) -> bool:
        """Whether the amounts stay the same until the quote ends."""
        return not self.use.amount and not any(line.is_part for line in quote_lines.read(self.quote))

    @property
    def is_same(self) -> bool:
        return keeps_all(self.quote, self.card)

    @property
    def is_at_end(self) -> bool:
        """Whether the change waits for the end of the paid period. Without a paid period, `period_end` means now."""
        return self.quote.when == Quote.When.PERIOD_END and self.card.is_paid_ahead and not self.is_same

    @property
    def takes_effect_at(self) -> datetime | None:
        """When the change takes effect; None if that is when the customer confirms."""
        return self.card.until if self.is_at_end else None

    @property
    def is_live(self) -> bool:
        """Whether the subscription can be used after the change."""
        return self.quote.status_after in LIVE

    @property
    def cost(self) -> Money:
        """What one payment costs after the change; for a metered price, one interval of use."""
        periods = 1 if self.new.metered else self.card.row.periods
        return self._money(catalogue.cost(self.new, self.quantity, periods))

    @property
    def asked(self) -> Money:
        """What is asked for the subscription after the change, if it waits for money then (subscriptions.dues)."""
        found = dues.one(self.changed, self.card.row)
        return self._money(found.amount if found else 0)

    @property
    def lacking(self) -> Money:
        """What a top-up must bring for the payment with which the change takes effect at the end of the period.

        That is zero if the balance is enough. It includes what the top-up revives first.
        """
        least = min(1, self.cost.amount) if self.new.metered else self.cost.amount
        bare = least + self.card.debt.amount - self.quote.balance_after
        if not self.is_at_end or bare <= 0:
            return self._money(0)
        return self._money(dues.with_revived(self.changed, self.card.row, bare))

    @property
    def next_charge(self) -> Money | None:
        due = self.quote.next_charge_amount
        return None if due is None else self._money(due)

    @property
    def title(self) -> str:
        if self.is_quantity:
            return _("Change the quantity to %(quantity)d") % {"quantity": self.quantity}
        return _("Change to %(plan)s") % {"plan": self.new.plan.title}

    @property
    def effects(self) -> list[str]:
        """Sentences on what happens, and on a cancellation or a change requested before."""
        return [self._quantity_effect() if self.is_quantity else self._plan_effect(), *self._dropped_requests()]

    @property
    def button(self) -> str:
        """The text of the confirmation button."""
        if self.quote.total >= 0:
            return _("Change the quantity") if self.is_quantity else self.title
        values = {"plan": self.new.plan.title, "amount": display.money(self._money(-self.quote.total))}
        if self.is_quantity:
            text = _("Pay %(amount)s") if self.is_exact else _("Pay at most %(amount)s")
        elif self.is_exact:
            text = _("Pay %(amount)s and change to %(plan)s")
        else:
            text = _("Pay at most %(amount)s and change to %(plan)s")
        return text % values

    def _plan_effect(self) -> str:
        values = {"old": self.card.price.plan.title, "new": self.new.plan.title}
        if self.is_same:
            return _("You keep %(old)s. Nothing is charged.") % values
        if self.takes_effect_at:
            text = _("You keep %(old)s until %(moment)s. Then %(new)s starts.")
            return text % {**values, "moment": display.moment(self.takes_effect_at)}
        if self.card.status is Status.TRIALING and self.card.until:
            if self.quote.status_after != Status.TRIALING:
                return _("Your free trial ends when you confirm, and %(new)s starts.") % values
            text = _("%(new)s replaces %(old)s when you confirm. Your free trial still ends on %(day)s.")
            return text % {**values, "day": display.day(self.card.until)}
        if self.is_live:
            return _("%(old)s ends when you confirm, and %(new)s starts.") % values
        change = _("%(new)s replaces %(old)s.") % values
        return f"{change} {self._start()}"

    def _quantity_effect(self) -> str:
        values = {"before": self.card.quantity, "after": self.quantity}
        if self.is_same:
            return _("The quantity stays %(after)d. Nothing is charged.") % values
        if self.takes_effect_at:
            text = _("The quantity stays %(before)d until %(moment)s. Then it is %(after)d.")
            return text % {**values, "moment": display.moment(self.takes_effect_at)}
        change = _("The quantity changes from %(before)d to %(after)d when you confirm.") % values
        if self.card.ends_by_itself and self.card.until:
            is_trial = self.card.status is Status.TRIALING
            end = _("Your free trial still ends on %(day)s.") if is_trial else _("The period still ends on %(day)s.")
            return f"{change} {end % {'day': display.day(self.card.until)}}"
        return change if self.is_live else f"{change} {self._start()}"

    def _start(self) -> str:
        """Return when something starts that does not start now."""
        if not self.asked.amount:
            return _("You can start it after that.")
        return _("It starts when you pay %(amount)s.") % {"amount": display.money(self.asked)}

    def _dropped_requests(self) -> list[str]:
        """Return sentences on what was requested before. What takes effect now drops all that was planned."""
        sentences = []
        drops_all = not self.is_at_end
        if self.card.is_leaving and drops_all and not self.is_quantity and not self.is_same:
            sentences.append(_("Your cancellation no longer applies: the new plan continues until you cancel it."))
        planned = {"plan": self.card.coming.plan.title} if self.card.coming else None
        if planned and drops_all:
            sentences.append(_("The planned change to %(plan)s will not happen.") % planned)
        elif planned and not self.is_quantity:
            sentences.append(_("This replaces the planned change to %(plan)s.") % planned)
        number = {"quantity": self.card.coming_quantity} if self.card.coming_quantity else None
        if number and drops_all:
            sentences.append(_("The planned change of the quantity to %(quantity)d will not happen.") % number)
        elif number and self.is_quantity:
            sentences.append(_("This replaces the planned change of the quantity to %(quantity)d.") % number)
        return sentences

    def _label(self, line: QuoteLine) -> str:
        is_own = line.subscription is not None and line.subscription.pk == self.card.row.pk
        values = {"plan": self.card.price.plan.title, "before": self.card.quantity, "after": self.quantity}
        if line.reason == DEBT_PAYMENT:
            return str(REASONS[Transaction.Reason.DEBT_PAYMENT])
        if line.reason == UNUSED:
            refund = _("Refund for unused time of %(plan)s")
            return (_("%(plan)s: %(after)d instead of %(before)d") if self.is_quantity else refund) % values
        if line.subscription is not None and not is_own:
            return line.subscription.price.plan.title
        if line.is_part and self.card.status is Status.PAST_DUE:
            return _("%(plan)s since the unpaid period ended") % values
        return (_("%(plan)s: %(after)d instead of %(before)d") % values) if self.is_quantity else self.new.plan.title

    def _money(self, amount: int) -> Money:
        return Money(amount, self.quote.price.currency)
